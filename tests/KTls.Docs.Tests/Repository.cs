using System.Runtime.CompilerServices;

namespace KTls.Docs.Tests;

/// <summary>The files that a reader sees.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>All pages, by their path in the repository.</summary>
    public static IEnumerable<string> Pages =>
        new[] { "README.md", "CONTRIBUTING.md" }
            .Concat(Find("docs", "*.md"))
            .Concat(Find("samples", "README.md"));

    /// <summary>The path of a file or folder of the repository.</summary>
    public static string PathOf(string path) => Path.Combine(Root, path);

    private static IEnumerable<string> Find(string folder, string pattern) =>
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Root, file))
            .Order(StringComparer.Ordinal);

    private static string FindRoot([CallerFilePath] string path = "")
    {
        // The compiler may have mapped the path away (deterministic builds); then the tests' own place leads there.
        string? folder = File.Exists(path) ? Path.GetDirectoryName(path) : AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests have to run inside the repository.");
    }
}
