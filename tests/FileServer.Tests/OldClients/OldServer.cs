using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FileServer.Tests.Support;

namespace FileServer.Tests.OldClients;

/// <summary>
/// The server as a process of its own, with an RSA certificate, as old clients need it, and with an openssl.cnf of its own: OpenSSL
/// reads that once in a process, and SslStream lets it say which old things are allowed.
/// </summary>
internal sealed class OldServer : IAsyncDisposable
{
    /// <summary>What an operator writes who has to serve such clients.</summary>
    public const string AllowsOldThings = """
        openssl_conf = init
        [init]
        ssl_conf = ssl
        [ssl]
        system_default = old
        [old]
        MinProtocol = TLSv1.1
        CipherString = DEFAULT:@SECLEVEL=0
        Groups = X25519:P-256:P-384:P-521:X448:ffdhe2048:brainpoolP256r1
        """;

    /// <summary>Nothing but what OpenSSL was built with.</summary>
    public const string Defaults = "";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private readonly TemporaryFolder _folder;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private int _files;

    private OldServer(TemporaryFolder folder, Process process, int port)
    {
        _folder = folder;
        _process = process;
        Port = port;
        _ = ReadLogAsync();
    }

    public int Port { get; }

    public static async Task<OldServer> StartAsync(string openSslConfiguration, string dataPlane)
    {
        var folder = new TemporaryFolder();
        string configuration = folder.Write("openssl.cnf", openSslConfiguration);
        string certificate = folder.Write("server.pem", MakeCertificate());
        Directory.CreateDirectory(folder["root"]);
        Process process = Tool.StartServerIn(
            [$"OPENSSL_CONF={configuration}"], "--root", folder["root"], "--cert", certificate, "--listen", "127.0.0.1:0", "--data-plane", dataPlane, "--verbose");
        string ready = await process.StandardOutput.ReadLineAsync().WaitAsync(Limit)
            ?? throw new InvalidOperationException("The server ended: " + await process.StandardError.ReadToEndAsync());
        return new OldServer(folder, process, new Uri(ready.Split(' ')[2]).Port);
    }

    /// <summary>A file that no other client gets, so that its length finds the connection in the log.</summary>
    public (string Name, byte[] Content) AddFile(int size)
    {
        int number = Interlocked.Increment(ref _files);
        byte[] content = RandomNumberGenerator.GetBytes(size + number);
        string name = $"{number}.bin";
        _folder.Write(Path.Combine("root", name), content);
        return (name, content);
    }

    public async Task<string> LogLineAsync(string part)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (_lines.FirstOrDefault(line => line.Contains(part, StringComparison.Ordinal)) is { } line)
            {
                return line;
            }

            await Task.Delay(20);
        }

        throw new TimeoutException($"No '{part}' in: {string.Join('\n', _lines)}");
    }

    /// <summary>The lines that were logged since the last call.</summary>
    public string[] TakeLines()
    {
        string[] lines = [.. _lines];
        _lines.Clear();
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        await Tool.RunAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, _process.ExitCode);
        _process.Dispose();
        _folder.Dispose();
    }

    private static string MakeCertificate()
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(7));
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
        }
    }
}
