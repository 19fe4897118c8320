using System.Text.RegularExpressions;

namespace KTls.Docs.Tests;

/// <summary>What the pages refer to is there: pages, files and folders of the repository, members of the packages.</summary>
public sealed partial class ReferenceTests
{
    public static TheoryData<string> Pages => [.. Repository.Pages];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_and_paths_lead_somewhere(string page)
    {
        string text = File.ReadAllText(Repository.PathOf(page));
        string folder = Path.GetDirectoryName(Repository.PathOf(page))!;
        Assert.All(Link().Matches(text).Select(match => match.Groups["target"].Value), target => Assert.True(Path.Exists(Path.Combine(folder, target)), target));
        Assert.All(FilePath().Matches(text).Select(match => match.Groups["path"].Value), path => Assert.True(Path.Exists(Repository.PathOf(path)), path));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Members_that_are_named_exist(string page)
    {
        Assert.All(Member().Matches(File.ReadAllText(Repository.PathOf(page))).Where(match => PublicMembers.Types.Any(type => type.Name == match.Groups["type"].Value)), match => Assert.Contains(
            PublicMembers.Types.Where(type => type.Name == match.Groups["type"].Value).SelectMany(type => type.GetMembers()),
            member => member.Name == match.Groups["member"].Value));
    }

    [GeneratedRegex(@"\]\((?!https?:)(?<target>[^)#]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(src|docs|samples|tests|eng|bench)/[\w./-]+)[^`*\n]*`")]
    private static partial Regex FilePath();

    [GeneratedRegex(@"`(?<type>[A-Z]\w+)\.(?<member>[A-Z]\w+)\b[^`\n]*`")]
    private static partial Regex Member();
}
