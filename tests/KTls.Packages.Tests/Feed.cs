namespace KTls.Packages.Tests;

/// <summary>One feed for all the tests.</summary>
[CollectionDefinition(nameof(Feed))]
public sealed class OneFeed : ICollectionFixture<Feed>;

/// <summary>The packages of this working tree in a folder of their own, under a version that nobody has in a cache.</summary>
public sealed class Feed : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ktls-packages-").FullName;

    public Feed() => Command.Run(Command.Repository, "eng/pack.sh", [Version, Packages]);

    public static string Version { get; } = $"0.0.0-test.{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}";

    /// <summary>The folder of the packages.</summary>
    public string Packages => Path.Combine(_folder, "feed");

    /// <summary>A project outside the repository that knows the packages, and the sources that this machine is set up with.</summary>
    public string CopyConsumer(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Command.Repository, "tests/KTls.Packages.Tests/Consumer")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(folder, "NuGet.config"), """
            <configuration><packageSources><add key="local" value="../feed" /></packageSources></configuration>
            """);
        return folder;
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        foreach (string package in new[] { "ktls", "ktls.handshake", "ktls.kestrel" })
        {
            string copy = Path.Combine(cache, package, Version);
            if (Directory.Exists(copy))
            {
                Directory.Delete(copy, recursive: true);
            }
        }
    }
}
