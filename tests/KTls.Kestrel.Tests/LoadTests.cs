using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KTls.Kestrel.Tests;

/// <summary>h2load and wrk against the sample KestrelSite. Each answer has to come, whole; how fast is measured elsewhere (docs/PERFORMANCE.md).</summary>
public sealed partial class LoadTests(LoadedSite loaded) : IClassFixture<LoadedSite>
{
    private const int Mebibyte = 1 << 20;

    /// <summary>Sixteen connections, with eight requests on the way on each: streams of HTTP/2, or pipelined HTTP/1.1.</summary>
    [Theory]
    [InlineData("--alpn-list=h2", "h2")]
    [InlineData("--h1", "http/1.1")]
    public async Task H2load_gets_all_small_answers(string option, string protocol)
    {
        const int Requests = 2000;
        long bytes = await H2loadAsync(option, protocol, Requests, connections: 16, "api/connection");
        long length = Math.DivRem(bytes, Requests, out long rest);
        Assert.Equal(0, rest);
        Assert.InRange(length, 200, 1000);
        await AssertStillServedAsync();
    }

    /// <summary>Over HTTP/1.1 these leave by sendfile.</summary>
    [Theory]
    [InlineData("--alpn-list=h2", "h2")]
    [InlineData("--h1", "http/1.1")]
    public async Task H2load_gets_all_files(string option, string protocol)
    {
        const int Requests = 24;
        Assert.Equal((long)Requests * Mebibyte, await H2loadAsync(option, protocol, Requests, connections: 8, "download/1"));
        await AssertStillServedAsync();
    }

    /// <summary>At its end wrk leaves in the middle of answers. Two connections are enough for files: a slow machine has to send one of them in the time.</summary>
    [Theory]
    [InlineData("api/connection", 32)]
    [InlineData("download/1", 2)]
    public async Task Wrk_meets_no_error(string path, int connections)
    {
        // A process's first handshakes are compiled meanwhile; 32 of them at once took longer than wrk stays on a slow machine.
        await AssertStillServedAsync();
        string output = await PeerProgram.RunAsync("wrk", "-t2", $"-c{connections}", "-d2s", "--timeout", "60s", $"{loaded.Running.Address}{path}");
        Assert.DoesNotContain("Socket errors", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Non-2xx", output, StringComparison.Ordinal);
        Match summary = WrkSummary().Match(output);
        Assert.True(summary.Success, output);
        Assert.True(long.Parse(summary.Groups["requests"].Value, CultureInfo.InvariantCulture) > 0, output);
        await AssertStillServedAsync();
    }

    /// <summary>Requests are under way when their connections break: the site may log no error (<see cref="RunningSite.DisposeAsync"/>).</summary>
    [Theory]
    [InlineData("--alpn-list=h2", "api/connection")]
    [InlineData("--h1", "api/connection")]
    [InlineData("--h1", "download/1")]
    public async Task A_killed_client_is_no_error(string option, string path)
    {
        string h2load = $"h2load {option} -n 1000000 -c 8 -m 8 {loaded.Running.Address}{path}";
        await PeerProgram.RunAsync("sh", "-c", $"timeout -s KILL 0.5 {h2load}; test $? = 137");
        await AssertStillServedAsync();
    }

    // The bytes of the bodies.
    private async Task<long> H2loadAsync(string option, string protocol, int requests, int connections, string path)
    {
        string output = await PeerProgram.RunAsync("h2load", option, "-n", $"{requests}", "-c", $"{connections}", "-m", "8", $"{loaded.Running.Address}{path}");
        Assert.Contains("TLS Protocol: TLSv1.3\n", output, StringComparison.Ordinal);
        Assert.Contains($"Application protocol: {protocol}\n", output, StringComparison.Ordinal);
        Assert.Contains($"requests: {requests} total, {requests} started, {requests} done, {requests} succeeded, 0 failed, 0 errored, 0 timeout\n", output, StringComparison.Ordinal);
        Assert.Contains($"status codes: {requests} 2xx, 0 3xx, 0 4xx, 0 5xx\n", output, StringComparison.Ordinal);
        Match data = H2loadData().Match(output);
        Assert.True(data.Success, output);
        return long.Parse(data.Groups["bytes"].Value, CultureInfo.InvariantCulture);
    }

    private async Task AssertStillServedAsync()
    {
        string plane = Site.KernelHasTls ? "Kernel" : "SslStream";
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpClient client = loaded.Running.CreateClient(version);
            JsonElement report = JsonDocument.Parse(await client.GetStringAsync("api/connection")).RootElement;
            Assert.Equal((plane, RunningSite.Receiving(plane)), (report.GetProperty("sending").GetString(), report.GetProperty("receiving").GetString()));
        }
    }

    [GeneratedRegex(@"^traffic: .* \((?<bytes>\d+)\) data$", RegexOptions.Multiline)]
    private static partial Regex H2loadData();

    [GeneratedRegex(@"^ *(?<requests>\d+) requests in ", RegexOptions.Multiline)]
    private static partial Regex WrkSummary();
}
