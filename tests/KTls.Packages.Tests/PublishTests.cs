namespace KTls.Packages.Tests;

/// <summary>The packages, as somebody has them who does not have the repository: published in every way, and used under a kernel with TLS.</summary>
[Collection(nameof(Feed))]
public sealed class PublishTests(Feed feed)
{
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
        string log = Command.Run(project, "dotnet", ["publish", "-c", "Release", "-o", output, selfContained, $"-p:KTlsVersion={Feed.Version}", "-p:CppCompilerAndLinker=gcc", .. property.Length == 0 ? [] : new[] { property }]);
        Assert.DoesNotContain("warning", log, StringComparison.OrdinalIgnoreCase);
        string said = Command.Run(Command.Repository, "eng/lab.sh", ["--kernel", "7.2", "--", "bash", Path.Combine(project, "use.sh"), Path.Combine(output, "Consumer")]);
        Assert.Contains("HTTP/2 Kernel\nHTTP/1.1 Kernel\n1000019 bytes, received by Kernel\n", said, StringComparison.Ordinal);
    }
}
