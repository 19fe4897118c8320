using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KTls.Kestrel.Tests;

/// <summary>The sample KestrelSite, started as its README says.</summary>
public sealed partial class KestrelSiteTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly SslClientAuthenticationOptions AnyCertificate = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true };

    public static TheoryData<string, string> Kinds => new()
    {
        { string.Empty, Site.KernelHasTls ? "Kernel" : "SslStream" },
        { " --stock true", "stock" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_site_works_and_says_who_serves_it(string arguments, string plane)
    {
        await using RunningSite site = await RunningSite.StartAsync(arguments);
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using var client = new HttpClient(new SocketsHttpHandler { SslOptions = AnyCertificate })
            {
                BaseAddress = site.Address, DefaultRequestVersion = version, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = Patience,
            };
            Assert.Contains("<script src=\"site.js\"", await client.GetStringAsync(string.Empty), StringComparison.Ordinal);
            Assert.Contains("api/connection", await client.GetStringAsync("site.js"), StringComparison.Ordinal);
            using HttpResponseMessage picture = await client.GetAsync("lock.svg");
            Assert.Equal("image/svg+xml", picture.Content.Headers.ContentType!.MediaType);

            JsonElement report = JsonDocument.Parse(await client.GetStringAsync("api/connection")).RootElement;
            Assert.Equal((plane, Receiving(plane)), (report.GetProperty("sending").GetString(), report.GetProperty("receiving").GetString()));
            Assert.Equal($"HTTP/{version.ToString(version.Minor == 0 ? 1 : 2)}", report.GetProperty("http").GetString());
            Assert.Equal("Tls13", report.GetProperty("tls").GetString());

            byte[] download = await client.GetByteArrayAsync("download/3");
            Assert.Equal(3 << 20, download.Length);
            Assert.Equal([0, 0, 1, 1, 2, 2], from i in Enumerable.Range(0, 3) from place in new[] { 0, (1 << 20) - 1 } select download[(i << 20) + place]);
            foreach ((string address, HttpStatusCode status) in new[] { ("download/0", HttpStatusCode.NotFound), ("download/4097", HttpStatusCode.NotFound), ("echo", HttpStatusCode.BadRequest) })
            {
                using HttpResponseMessage answer = await client.GetAsync(address);
                Assert.Equal(status, answer.StatusCode);
            }
        }

        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = AnyCertificate.RemoteCertificateValidationCallback;
        await socket.ConnectAsync(new UriBuilder(site.Address) { Scheme = "wss", Path = "echo" }.Uri, CancellationToken.None);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        byte[] buffer = new byte[16];
        WebSocketReceiveResult result = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal("hello"u8, buffer.AsSpan(0, result.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(Patience);
    }

    [Theory]
    [InlineData("--http1.1", "HTTP/1.1")]
    [InlineData("--http2", "HTTP/2")]
    public async Task Curl_is_served(string option, string version)
    {
        await using RunningSite site = await RunningSite.StartAsync(string.Empty);
        string[] answers = (await RunAsync("curl", "-sS", "-k", option, $"{site.Address}api/connection", "-w", "\n%{http_version}\n", "-o", "-", $"{site.Address}download/2", "-o", "/dev/null")).Split('\n');
        Assert.Contains($"\"http\":\"{version}\"", answers[0], StringComparison.Ordinal);
        Assert.Equal(version[5..], answers[1]);
        Assert.Equal(version[5..], answers[3]);
    }

    // A kernel that cannot change keys does not receive (docs/FALLBACK.md).
    private static string Receiving(string plane) =>
        plane == "Kernel" && KernelTls.Probe().Ciphers.Any(cipher => cipher.Rekey is { IsAvailable: false }) ? "UserSpace" : plane;

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, await error);
        return output;
    }

    [GeneratedRegex(@"^dotnet run -c Release --project samples/KestrelSite -- (?<arguments>.+)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    private sealed class RunningSite(Process process, Uri address) : IAsyncDisposable
    {
        public Uri Address => address;

        public static async Task<RunningSite> StartAsync(string moreArguments)
        {
            string sample = Path.Combine(RepositoryRoot(), "samples", "KestrelSite");
            string port = FreePort();
            string arguments = Command().Match(await File.ReadAllTextAsync(Path.Combine(sample, "README.md"))).Groups["arguments"].Value.Replace("8443", port, StringComparison.Ordinal);

            // What "dotnet run" would build is built already.
            Process process = Process.Start(new ProcessStartInfo("dotnet", $"exec {sample}/bin/Release/net10.0/KestrelSite.dll {arguments}{moreArguments}") { RedirectStandardOutput = true })!;
            var lines = new List<string>();
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
            {
                lines.Add(line);
                if (line.Contains("Application started", StringComparison.Ordinal))
                {
                    Assert.Contains(lines, line => line.EndsWith($"Now listening on: https://127.0.0.1:{port}", StringComparison.Ordinal));
                    _ = process.StandardOutput.ReadToEndAsync();
                    return new RunningSite(process, new Uri($"https://127.0.0.1:{port}/"));
                }
            }

            throw new InvalidOperationException(string.Join('\n', lines));
        }

        public async ValueTask DisposeAsync()
        {
            await RunAsync("kill", process.Id.ToString(CultureInfo.InvariantCulture));
            await process.WaitForExitAsync().WaitAsync(Patience);
            Assert.Equal(0, process.ExitCode);
            process.Dispose();
        }

        private static string RepositoryRoot()
        {
            string folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "KTls.sln")))
            {
                folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests have to run inside the repository.");
            }

            return folder;
        }

        private static string FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        }
    }
}
