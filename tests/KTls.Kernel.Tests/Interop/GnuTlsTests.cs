using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>Our server over the kernel and gnutls-cli; our client over the kernel and gnutls-serv.</summary>
public sealed class GnuTlsTests
{
    private const int LineLength = 8192;

    [Theory]
    [MemberData(nameof(InKernel.Matrix), MemberType = typeof(InKernel))]
    public async Task Client_exchanges_data_and_close_notify(TlsCipherSuite suite, string key, NamedGroup group)
    {
        using var folder = new PeerFolder(key);
        using var listener = new PeerListener();
        var counters = new KernelCounters();
        await using PeerProcess peer = StartClient(folder, listener.Port, GnuTls.Priority(suite, group));
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(suite, key));
        InKernel.Check(ours, suite, group);
        await PeerExchange.BothWaysAsync(ours, peer);

        // It says its close_notify when its input ends, then waits for ours.
        peer.EndInput();
        await InKernel.CheckEndAsync(ours);
        await ours.ShutdownAsync().Soon();
        Assert.Equal(0, await peer.EndAsync());
        string log = await File.ReadAllTextAsync(folder.File("log"));
        Assert.Contains(GnuTls.Description(suite, key, group), log, StringComparison.Ordinal);
        Assert.Contains("Status: The certificate is trusted", log, StringComparison.Ordinal);
        counters.CheckConnections(1);
    }

    [Fact]
    public async Task A_share_for_another_group_is_answered_by_HelloRetryRequest()
    {
        const TlsCipherSuite Suite = TlsCipherSuite.TLS_AES_128_GCM_SHA256;
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = StartClient(
            folder, listener.Port, GnuTls.Priority(Suite, NamedGroup.Secp521r1, NamedGroup.Secp256r1), "--single-key-share");
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(Suite));
        InKernel.Check(ours, Suite, NamedGroup.Secp256r1);
        await PeerExchange.BothWaysAsync(ours, peer);
    }

    // It echoes lines of text. It ends a connection without waiting for us, and itself never.
    [Theory]
    [MemberData(nameof(InKernel.Matrix), MemberType = typeof(InKernel))]
    public async Task Server_exchanges_data_and_close_notify(TlsCipherSuite suite, string key, NamedGroup group)
    {
        using var folder = new PeerFolder(key);
        int port = PeerPort.Free();
        var counters = new KernelCounters();
        await using PeerProcess peer = PeerProcess.Start(
            "gnutls-serv",
            [
                "--echo", "--crlf", "--quiet", "--disable-client-cert", "--port", $"{port}", "--x509certfile", folder.ChainFile, "--x509keyfile", folder.KeyFile,
                "--priority", GnuTls.Priority(suite, group), "--alpn", "http/1.1", "--alpn-fatal", "--sni-hostname", "localhost", "--sni-hostname-fatal",
            ]);
        using Socket socket = await PeerPort.ConnectAsync(port, peer);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(socket, PeerPki.Client(suite), InKernel.Required).Soon();
        InKernel.Check(ours, suite, group);
        byte[] lines = Lines();
        Task<byte[]> echo = PeerExchange.ReadAsync(ours, lines.Length);
        for (int i = 0; i < lines.Length; i += LineLength)
        {
            await ours.WriteAsync(lines.AsMemory(i, LineLength)).Soon();
        }

        PeerExchange.CheckSame(lines, await echo);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);
        counters.CheckConnections(1);
    }

    private static byte[] Lines()
    {
        byte[] lines = new byte[PeerExchange.Size];
        RandomNumberGenerator.GetItems("0123456789abcdef"u8, lines);
        for (int i = LineLength - 1; i < lines.Length; i += LineLength)
        {
            lines[i] = (byte)'\n';
        }

        return lines;
    }

    private static PeerProcess StartClient(PeerFolder folder, int port, string priority, params IEnumerable<string> more) => PeerProcess.Start(
        "gnutls-cli",
        [
            "--port", $"{port}", "--x509cafile", folder.RootFile, "--sni-hostname", "localhost", "--verify-hostname", "localhost",
            "--priority", priority, "--alpn", "http/1.1", "--logfile", folder.File("log"), .. more, "127.0.0.1",
        ]);
}
