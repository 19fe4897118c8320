using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;

namespace KTls.Kestrel.Tests;

/// <summary>The sample KestrelSite, started as its README says.</summary>
public sealed class KestrelSiteTests
{
    [Theory]
    [MemberData(nameof(RunningSite.Kinds), MemberType = typeof(RunningSite))]
    public async Task The_site_works_and_says_who_serves_it(string arguments, string plane)
    {
        await using RunningSite site = await RunningSite.StartAsync(arguments);
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpClient client = site.CreateClient(version);
            Assert.Contains("<script src=\"site.js\"", await client.GetStringAsync(string.Empty), StringComparison.Ordinal);
            Assert.Contains("api/connection", await client.GetStringAsync("site.js"), StringComparison.Ordinal);
            using HttpResponseMessage picture = await client.GetAsync("lock.svg");
            Assert.Equal("image/svg+xml", picture.Content.Headers.ContentType!.MediaType);

            JsonElement report = JsonDocument.Parse(await client.GetStringAsync("api/connection")).RootElement;
            Assert.Equal((plane, RunningSite.Receiving(plane)), (report.GetProperty("sending").GetString(), report.GetProperty("receiving").GetString()));
            Assert.Equal($"HTTP/{version.ToString(version.Minor == 0 ? 1 : 2)}", report.GetProperty("http").GetString());
            Assert.Equal("Tls13", report.GetProperty("tls").GetString());

            byte[] download = await client.GetByteArrayAsync("download/3");
            Assert.Equal(3 << 20, download.Length);
            Assert.Equal([0, 0, 1, 1, 2, 2], from i in Enumerable.Range(0, 3) from place in new[] { 0, (1 << 20) - 1 } select download[(i << 20) + place]);
            foreach ((string address, HttpStatusCode status) in new[] { ("download/0", HttpStatusCode.NotFound), ("download/4097", HttpStatusCode.NotFound), ("download/4096", HttpStatusCode.InsufficientStorage), ("echo", HttpStatusCode.BadRequest) })
            {
                using HttpResponseMessage answer = await client.GetAsync(address);
                Assert.Equal(status, answer.StatusCode);
            }
        }

        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = RunningSite.AnyCertificate.RemoteCertificateValidationCallback;
        await socket.ConnectAsync(new UriBuilder(site.Address) { Scheme = "wss", Path = "echo" }.Uri, CancellationToken.None);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        byte[] buffer = new byte[16];
        WebSocketReceiveResult result = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(RunningSite.Patience);
        Assert.Equal("hello"u8, buffer.AsSpan(0, result.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(RunningSite.Patience);
    }

    /// <summary>What a user gets wrong comes back in a line.</summary>
    [Theory]
    [InlineData("--urls https://127.0.0.1:{0}", "address already in use")]
    [InlineData("--urls https://127.0.0.1:0 --Kestrel:Certificates:Default:Path /missing.pem", "/missing.pem")]
    [InlineData("--urls nonsense", "'nonsense'")]
    [InlineData("--urls https://127.0.0.1:{0} --stock true", "address already in use")]
    public async Task A_site_that_cannot_start_says_why(string arguments, string reason)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        (string output, string errors, int exitCode) = await RunningSite.FailAsync(arguments.Replace("{0}", $"{((IPEndPoint)other.LocalEndpoint).Port}", StringComparison.Ordinal));
        Assert.Equal((1, string.Empty), (exitCode, output));
        Assert.StartsWith("The site cannot start: ", errors, StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http1.1", "HTTP/1.1")]
    [InlineData("--http2", "HTTP/2")]
    public async Task Curl_is_served(string option, string version)
    {
        await using RunningSite site = await RunningSite.StartAsync(string.Empty);
        string[] answers = (await PeerProgram.RunAsync("curl", "-sS", "-k", option, $"{site.Address}api/connection", "-w", "\n%{http_version}\n", "-o", "-", $"{site.Address}download/2", "-o", "/dev/null")).Split('\n');
        Assert.Contains($"\"http\":\"{version}\"", answers[0], StringComparison.Ordinal);
        Assert.Equal(version[5..], answers[1]);
        Assert.Equal(version[5..], answers[3]);
    }
}
