using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FileServer.Tests.Support;

namespace FileServer.Tests.EndToEnd;

/// <summary>The program as a user meets it: arguments, output, exit codes, signals.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Prints_help()
    {
        (int exitCode, string output, string error) = await RunAsync("--help");
        Assert.Equal((0, string.Empty), (exitCode, error));
        Assert.StartsWith("Serves a folder's files", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "FileServer: unknown argument '--rot'; see --help", "--rot")]
    [InlineData(2, "FileServer: --root /nowhere: no such folder", "--root", "/nowhere")]
    [InlineData(2, "FileServer: --root /etc/passwd: is not a folder", "--root", "/etc/passwd")]
    [InlineData(2, "FileServer: /nowhere.pem: no such file", "--cert", "/nowhere.pem")]
    [InlineData(2, "FileServer: /etc/passwd: neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12", "--cert", "/etc/passwd")]
    [InlineData(1, "FileServer: --listen: this machine does not have the address 192.0.2.1", "--listen", "192.0.2.1:0")]
    public async Task Explains_errors_in_one_line(int expected, string message, params string[] arguments)
    {
        (int exitCode, string output, string error) = await RunAsync(arguments);
        Assert.Equal((expected, string.Empty, message + "\n"), (exitCode, output, error));
    }

    [Fact]
    public async Task Explains_a_port_in_use()
    {
        using var other = new Socket(SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;
        (int exitCode, _, string error) = await RunAsync("--listen", port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal((1, $"FileServer: --listen: port {port} is in use; stop the other program or choose another port\n"), (exitCode, error));
    }

    [Fact]
    public async Task Warns_of_a_private_key_in_the_root()
    {
        string certificate = MakeCertificate();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        (int exitCode, string output, string error) = await RunAsync(stop.Token, "--root", _folder.Name, "--cert", certificate, "--listen", "0");
        Assert.Equal(0, exitCode);
        Assert.Contains("(certificate: CN=localhost, valid until ", output, StringComparison.Ordinal);
        Assert.Equal($"FileServer: warning: {certificate} holds the private key and lies in the folder that is served\n", error);
    }

    [Theory]
    [InlineData("*:0")]
    [InlineData("0.0.0.0:0")]
    [InlineData("0")]
    public async Task Listens_where_it_is_told(string address)
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        (int exitCode, string output, _) = await RunAsync(stop.Token, "--listen", address, "--root", _folder.Name);
        Assert.Equal(0, exitCode);
        Assert.Matches(ReadyLine(), output);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Serves_until_a_signal_and_ends_with_0(string signal)
    {
        _folder.Write("a.txt", "hello");
        using Process server = Tool.StartServer("--root", _folder.Name, "--listen", "127.0.0.1:0");
        string ready = await ReadLineAsync(server);
        Assert.Matches(ReadyLine(), ready);
        Tool.Result curl = await Tool.RunAsync("curl", "-sSk", UrlOf(ready) + "a.txt");
        Assert.True(curl.ExitCode == 0, curl.Error);
        Assert.Equal("hello", curl.Output);
        await SignalAsync(server, signal);
        await server.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, server.ExitCode);
        string log = await server.StandardOutput.ReadToEndAsync();
        Assert.Contains("requests=1 bytes=5 ", log, StringComparison.Ordinal);
        Assert.Equal(string.Empty, await server.StandardError.ReadToEndAsync());
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        using (FileStream large = File.Create(_folder["large.bin"]))
        {
            large.SetLength(50_000_000);
        }

        using Process server = Tool.StartServer("--root", _folder.Name, "--listen", "127.0.0.1:0");
        string ready = await ReadLineAsync(server);
        int port = new Uri(UrlOf(ready)).Port;
        using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), receiveBuffer: 4096);
        await client.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
        await client.Stream.ReadExactlyAsync(new byte[1000]);
        var watch = Stopwatch.StartNew();
        await SignalAsync(server, "INT");
        while (!(await ReadLineAsync(server)).Contains("Stopping", StringComparison.Ordinal))
        {
        }

        await SignalAsync(server, "INT");
        await server.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(128 + 2, server.ExitCode);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Never_runs_out_of_descriptors()
    {
        _folder.Write("a.txt", "hello");
        using Process server = Tool.Start("bash", "-c", "ulimit -n 250; exec dotnet exec \"$0\" \"$@\"", typeof(Application).Assembly.Location, "--root", _folder.Name, "--listen", "127.0.0.1:0");
        string ready = await ReadLineAsync(server);
        int port = new Uri(UrlOf(ready)).Port;
        var sockets = new List<Socket>();
        for (int i = 0; i < 150; i++)
        {
            sockets.Add(await RawClient.ConnectTcpAsync(new IPEndPoint(IPAddress.Loopback, port)));
        }

        Assert.Contains("has room for", await ReadLineAsync(server), StringComparison.Ordinal);
        Assert.Contains("as many as --max-connections allows", await ReadLineAsync(server), StringComparison.Ordinal);
        sockets.ForEach(socket => socket.Dispose());
        Tool.Result curl = await Tool.RunAsync("curl", "-sSk", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", UrlOf(ready) + "a.txt");
        Assert.Equal("hello", curl.Output);
        await SignalAsync(server, "TERM");
        await server.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, server.ExitCode);
    }

    private string MakeCertificate()
    {
        using var certificate = global::FileServer.Certificates.SelfSignedCertificate.Create();
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        return _folder.Write("all.pem", certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(CancellationToken.None, arguments);

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(CancellationToken stop, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int exitCode = await Application.RunAsync(arguments, output, error, stop).WaitAsync(Limit);
        return (exitCode, output.ToString(), error.ToString());
    }

    private static async Task<string> ReadLineAsync(Process process)
    {
        string? line = await process.StandardOutput.ReadLineAsync().WaitAsync(Limit);
        return line ?? throw new InvalidOperationException("The server ended: " + await process.StandardError.ReadToEndAsync());
    }

    private static async Task SignalAsync(Process process, string signal) =>
        Assert.Equal(0, (await Tool.RunAsync("kill", "-" + signal, process.Id.ToString(CultureInfo.InvariantCulture))).ExitCode);

    private static string UrlOf(string ready) => ReadyLine().Match(ready).Groups[1].Value;

    [GeneratedRegex(@"^Listening on (https://[0-9a-f.:\[\]]+:[1-9][0-9]*/) serving /.* \(certificate: self-signed, .*SHA-256 [0-9A-F]{64}\)\n?$")]
    private static partial Regex ReadyLine();
}
