namespace KTls.Docs.Tests;

/// <summary>Every block of C# in the documentation stands, line by line, in a snippet that the tests compile and run.</summary>
public sealed class CodeBlockTests
{
    [Fact]
    public void Every_block_is_a_snippet_that_runs()
    {
        string[][] snippets = [.. Directory.EnumerateFiles(Repository.PathOf("tests/KTls.Docs.Tests/Snippets"), "*.cs").Select(file => Trim(File.ReadAllLines(file)))];
        (string Page, string[] Lines)[] blocks = [.. Repository.Pages.SelectMany(page => Blocks(page).Select(lines => (page, lines)))];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.True(
            snippets.Any(snippet => Contains(snippet, block.Lines)),
            $"{block.Page} has a block that no file of tests/KTls.Docs.Tests/Snippets has:\n{string.Join('\n', block.Lines)}"));
    }

    private static IEnumerable<string[]> Blocks(string page)
    {
        List<string>? block = null;
        foreach (string line in File.ReadAllLines(Repository.PathOf(page)))
        {
            if (line is "```csharp")
            {
                block = [];
            }
            else if (line is "```" && block is not null)
            {
                yield return Trim(block);
                block = null;
            }
            else
            {
                block?.Add(line);
            }
        }
    }

    private static string[] Trim(IEnumerable<string> lines) => [.. lines.Select(line => line.Trim()).Where(line => line.Length != 0)];

    private static bool Contains(string[] snippet, string[] block) =>
        Enumerable.Range(0, Math.Max(0, snippet.Length - block.Length + 1)).Any(start => snippet.AsSpan(start, block.Length).SequenceEqual(block));
}
