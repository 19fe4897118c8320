using System.Text;
using FileServer.Tests.Support;
using KTls;

namespace FileServer.Tests.OldClients;

/// <summary>Clients that KTls cannot serve get their file from SslStream, whole, and the log says why.</summary>
public sealed class OldClientTests(OldClientTests.Servers servers) : IClassFixture<OldClientTests.Servers>
{
    // The kernel wherever there is one; without it the ClientHello is looked at only if user space is wanted.
    private static readonly string[] DataPlanes = TestServer.KernelHasTls ? ["prefer-kernel"] : ["user-space", "prefer-kernel"];

    // More than one record; and little for gnutls-cli, which makes a system call a byte.
    private const int Large = 20_000;
    private const int Small = 1_000;

    private static readonly (FallbackReason Reason, string[] Restrictions)[] OpenSslClients =
    [
        (FallbackReason.CipherSuite, ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA"]),
        (FallbackReason.CipherSuite, ["-tls1_2", "-cipher", "kRSA"]),
        (FallbackReason.ProtocolVersion, ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]),
        (FallbackReason.Group, ["-groups", "X448"]),
        (FallbackReason.Group, ["-tls1_3", "-groups", "ffdhe2048"]),
        (FallbackReason.Group, ["-tls1_2", "-groups", "brainpoolP256r1", "-cipher", "ECDHE"]),
        (FallbackReason.ExtendedMasterSecret, ["-tls1_2", "-no_ems"]),
        (FallbackReason.SignatureScheme, ["-tls1_2", "-sigalgs", "RSA+SHA1", "-cipher", "DEFAULT:@SECLEVEL=0"]),

        // Odd, and ours.
        (FallbackReason.None, ["-groups", "P-521"]),
        (FallbackReason.None, ["-tls1_2", "-groups", "P-521"]),
    ];

    private static readonly (FallbackReason Reason, string Priority)[] GnuTlsClients =
    [
        (FallbackReason.CipherSuite, "NORMAL:-AEAD:-VERS-TLS1.3"),
        (FallbackReason.CipherSuite, "NORMAL:-VERS-TLS1.3:-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC"),
        (FallbackReason.ProtocolVersion, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%VERIFY_ALLOW_SIGN_WITH_SHA1"),
        (FallbackReason.None, "NORMAL:-GROUP-ALL:+GROUP-SECP521R1"),
    ];

    public static TheoryData<string, FallbackReason, string[]> OpenSsl => new(
        from dataPlane in DataPlanes from client in OpenSslClients select (dataPlane, client.Reason, client.Restrictions));

    public static TheoryData<string, FallbackReason, string> GnuTls => new(
        from dataPlane in DataPlanes from client in GnuTlsClients select (dataPlane, client.Reason, client.Priority));

    [Theory]
    [MemberData(nameof(OpenSsl))]
    public Task S_client_gets_its_file(string dataPlane, FallbackReason reason, string[] restrictions) =>
        AssertServedAsync(OldServer.AllowsOldThings, dataPlane, reason, Large, (port, file) => OldClient.OpenSslAsync(port, file, restrictions));

    [Theory]
    [MemberData(nameof(GnuTls))]
    public Task Gnutls_cli_gets_its_file(string dataPlane, FallbackReason reason, string priority) =>
        AssertServedAsync(OldServer.AllowsOldThings, dataPlane, reason, Small, (port, file) => OldClient.GnuTlsAsync(port, file, priority));

    [Theory]
    [InlineData(FallbackReason.CipherSuite, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256")]
    [InlineData(FallbackReason.Group, "-groups", "X448")]
    [InlineData(FallbackReason.ExtendedMasterSecret, "-tls1_2", "-no_ems")]
    public Task With_OpenSSLs_own_defaults_most_are_served(FallbackReason reason, params string[] restrictions) =>
        AssertServedAsync(OldServer.Defaults, DataPlanes[0], reason, Large, (port, file) => OldClient.OpenSslAsync(port, file, restrictions));

    /// <summary>What OpenSSL allows nobody unless openssl.cnf says so, SslStream does not serve either. The log says both.</summary>
    [Theory]
    [InlineData(FallbackReason.ProtocolVersion, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")]
    [InlineData(FallbackReason.CipherSuite, "-tls1_2", "-cipher", "kRSA")]
    [InlineData(FallbackReason.Group, "-tls1_2", "-groups", "brainpoolP256r1", "-cipher", "ECDHE")]
    [InlineData(FallbackReason.SignatureScheme, "-tls1_2", "-sigalgs", "RSA+SHA1", "-cipher", "DEFAULT:@SECLEVEL=0")]
    public async Task With_OpenSSLs_own_defaults_some_are_refused(FallbackReason reason, params string[] restrictions)
    {
        OldServer server = await servers.GetAsync(OldServer.Defaults, DataPlanes[0]);
        await AssertRefusedAsync(server, reason, (port, file) => OldClient.OpenSslAsync(port, file, restrictions));
    }

    /// <summary>Finite fields below TLS 1.3 SslStream never serves, nor a client that offers TLS 1.3 and no suite of it.</summary>
    [Fact]
    public async Task Nothing_helps_these()
    {
        OldServer server = await servers.GetAsync(OldServer.AllowsOldThings, DataPlanes[0]);
        await AssertRefusedAsync(server, FallbackReason.CipherSuite, (port, file) => OldClient.OpenSslAsync(port, file, "-tls1_2", "-cipher", "kDHE"));
        await AssertRefusedAsync(server, FallbackReason.CipherSuite, (port, file) => OldClient.GnuTlsAsync(port, file, "NORMAL:-AEAD"));
    }

    private async Task AssertServedAsync(string openSslConfiguration, string dataPlane, FallbackReason reason, int size, Func<int, string, Task<OldClient.Result>> fetch)
    {
        OldServer server = await servers.GetAsync(openSslConfiguration, dataPlane);
        (string name, byte[] content) = server.AddFile(size);
        OldClient.Result result = await fetch(server.Port, name);
        Assert.StartsWith("HTTP/1.1 200 ", Encoding.Latin1.GetString(result.Received), StringComparison.Ordinal);
        Assert.True(result.Received.AsSpan().EndsWith(content), $"{result.Received.Length} bytes came. {result.Error}");

        string line = await server.LogLineAsync($"requests=1 bytes={content.Length} ");
        string sender = (dataPlane, reason) switch
        {
            ("prefer-kernel", _) when !TestServer.KernelHasTls => "SslStream (NoKernelTls)",
            ("prefer-kernel", FallbackReason.None) => "Kernel",
            (_, FallbackReason.None) => "UserSpace (SwitchedOff)",
            _ => $"SslStream ({reason})",
        };
        Assert.Contains($" send={sender} ", line, StringComparison.Ordinal);
    }

    private static async Task AssertRefusedAsync(OldServer server, FallbackReason reason, Func<int, string, Task<OldClient.Result>> fetch)
    {
        server.TakeLines();
        OldClient.Result result = await fetch(server.Port, server.AddFile(Small).Name);
        Assert.Empty(result.Received);
        Assert.Contains("alert", result.Error, StringComparison.Ordinal);
        Assert.Contains("SSL routines", await server.LogLineAsync("] 127.0.0.1:"), StringComparison.Ordinal);
        await server.LogLineAsync($"SslStream takes the connection over ({reason}): ");
    }

    /// <summary>One server for each configuration, for all tests.</summary>
    public sealed class Servers : IAsyncDisposable
    {
        private readonly Dictionary<(string, string), OldServer> _servers = [];

        internal async Task<OldServer> GetAsync(string openSslConfiguration, string dataPlane)
        {
            if (!_servers.TryGetValue((openSslConfiguration, dataPlane), out OldServer? server))
            {
                _servers[(openSslConfiguration, dataPlane)] = server = await OldServer.StartAsync(openSslConfiguration, dataPlane);
            }

            return server;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (OldServer server in _servers.Values)
            {
                await server.DisposeAsync();
            }
        }
    }
}
