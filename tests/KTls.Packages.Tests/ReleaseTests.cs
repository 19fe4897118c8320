using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;

namespace KTls.Packages.Tests;

/// <summary>What a release promises: its version is its tag, its programs come out the same wherever they are made, and debuggers find the source.</summary>
public sealed class ReleaseTests : IDisposable
{
    private const string Origin = "https://github.com/example/ktls";

    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    private readonly string _folder = Directory.CreateTempSubdirectory("ktls-release-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_tag_is_the_version_and_what_follows_it_is_the_next_in_the_making()
    {
        string repository = CreateRepository();
        Assert.Equal("0.0.1-dev.1\n", Version());
        Git(repository, "tag", "v1.2.3");
        Assert.Equal("1.2.3\n", Version());
        Git(repository, "commit", "-q", "--allow-empty", "-m", "more");
        Assert.Equal("1.2.4-dev.1\n", Version());
        string Version() => Command.Run(repository, "eng/pack.sh", ["--version"]);
    }

    [Fact]
    public void The_same_commit_makes_the_same_programs_and_tells_where_its_source_is()
    {
        string here = CreateRepository();
        string there = Path.Combine(_folder, "some", "where", "else");
        Git(_folder, "clone", "-q", here, there);
        Git(there, "remote", "set-url", "origin", Origin);
        string commit = Git(there, "rev-parse", "HEAD").Trim();
        foreach (string repository in new[] { here, there })
        {
            Git(repository, "tag", "-f", "v1.2.3");
            Command.Run(repository, "eng/pack.sh", []);
        }

        foreach (string name in new[] { "KTls.Handshake", "KTls", "KTls.Kestrel" })
        {
            Assert.Equal(Entry(here, $"{name}.1.2.3.nupkg", $"lib/net10.0/{name}.dll"), Entry(there, $"{name}.1.2.3.nupkg", $"lib/net10.0/{name}.dll"));
            byte[] symbols = Entry(here, $"{name}.1.2.3.snupkg", $"lib/net10.0/{name}.pdb");
            Assert.Equal(symbols, Entry(there, $"{name}.1.2.3.snupkg", $"lib/net10.0/{name}.pdb"));
            using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
            MetadataReader pdb = provider.GetMetadataReader();
            Assert.All(pdb.Documents.Select(document => pdb.GetString(pdb.GetDocument(document).Name)), path => Assert.StartsWith("/_/", path, StringComparison.Ordinal));
            string link = pdb.CustomDebugInformation.Select(pdb.GetCustomDebugInformation).Where(information => pdb.GetGuid(information.Kind) == SourceLink)
                .Select(information => Encoding.UTF8.GetString(pdb.GetBlobBytes(information.Value))).Single();
            Assert.Equal(
                $"https://raw.githubusercontent.com/example/ktls/{commit}/*",
                JsonDocument.Parse(link).RootElement.GetProperty("documents").GetProperty("/_/*").GetString());
        }
    }

    // What the packages are made of, as it stands in this working tree, as a repository of its own with one commit.
    private string CreateRepository()
    {
        string repository = Directory.CreateDirectory(Path.Combine(_folder, "here")).FullName;
        string files = Git(Command.Repository, "ls-files", "--cached", "--others", "--exclude-standard", "--", "src", "eng/pack.sh", ":(glob)*");
        foreach (string file in files.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(Command.Repository, file))))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(repository, file))!);
            File.Copy(Path.Combine(Command.Repository, file), Path.Combine(repository, file));
        }

        Git(repository, "init", "-q");
        Git(repository, "remote", "add", "origin", Origin);
        Git(repository, "add", "--all");
        Git(repository, "commit", "-q", "-m", "all");
        return repository;
    }

    private static string Git(string folder, params string[] arguments) =>
        Command.Run(folder, "git", ["-c", "user.name=test", "-c", "user.email=test@example.com", .. arguments]);

    private static byte[] Entry(string repository, string package, string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(Path.Combine(repository, "artifacts/packages", package));
        using Stream stream = archive.GetEntry(path)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
