using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KTls.Packages.Tests;

/// <summary>The packages, as somebody has them who does not have the repository: published in every way, and used under a kernel with TLS.</summary>
public sealed class PublishTests(PublishTests.Feed feed) : IClassFixture<PublishTests.Feed>
{
    private static readonly string Repository = FindRepository();

    [Theory]
    [InlineData("framework-dependent", "--no-self-contained", "")]
    [InlineData("self-contained", "--self-contained", "")]
    [InlineData("trimmed", "--self-contained", "-p:PublishTrimmed=true")]
    [InlineData("aot", "--self-contained", "-p:PublishAot=true")]
    public void A_published_program_serves_over_kernel_TLS(string way, string selfContained, string property)
    {
        // Intermediate files of one way are none of another's.
        string project = feed.CopyConsumer(way);
        string output = Path.Combine(project, "out");
        string log = Run(project, "dotnet", ["publish", "-c", "Release", "-o", output, selfContained, $"-p:KTlsVersion={Feed.Version}", "-p:CppCompilerAndLinker=gcc", .. property.Length == 0 ? [] : new[] { property }]);
        Assert.DoesNotContain("warning", log, StringComparison.OrdinalIgnoreCase);
        string said = Run(Repository, "eng/lab.sh", ["--kernel", "7.2", "--", "bash", Path.Combine(project, "use.sh"), Path.Combine(output, "Consumer")]);
        Assert.Contains("HTTP/2 Kernel\nHTTP/1.1 Kernel\n1000019 bytes, received by Kernel\n", said, StringComparison.Ordinal);
    }

    private static string Run(string folder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program.Contains('/', StringComparison.Ordinal) ? Path.Combine(folder, program) : program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', start.ArgumentList)}: exit code {process.ExitCode}\n{output}\n{errors.Result}");
        return output;
    }

    private static string FindRepository([CallerFilePath] string path = "")
    {
        // The compiler may have mapped the path away (deterministic builds); then the tests' own place leads there.
        string? folder = File.Exists(path) ? Path.GetDirectoryName(path) : AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests have to run inside the repository.");
    }

    /// <summary>The packages of this working tree in a folder of their own, under a version that nobody has in a cache.</summary>
    public sealed class Feed : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("ktls-packages-").FullName;

        public Feed() => Run(Repository, "eng/pack.sh", [Version, Path.Combine(_folder, "feed")]);

        public static string Version { get; } = $"0.0.0-test.{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}";

        /// <summary>A project outside the repository that knows the packages, and the sources that this machine is set up with.</summary>
        public string CopyConsumer(string name)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository, "tests/KTls.Packages.Tests/Consumer")))
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
}
