using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Interop.Tests;

/// <summary>GnuTLS' command-line client and server.</summary>
public sealed class GnuTlsTests
{
    public static TheoryData<TlsCipherSuite> Suites => Scenario.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Our_server_and_gnutls_cli(TlsCipherSuite suite)
    {
        // It sends every line by itself, and writes what it receives byte by byte, each a system call.
        byte[] toUs = Scenario.RandomText(Scenario.Size, lineLength: 4096);
        byte[] toPeer = Scenario.RandomText(suite == TlsCipherSuite.TLS_AES_128_GCM_SHA256 ? Scenario.Size / 4 : Scenario.Size / 8);
        using Socket listener = Scenario.Listen(out int port);
        using PeerProcess peer = PeerProcess.Start(
            "gnutls-cli", "--logfile", Path.Combine(Scenario.Directory, "gnutls-cli.log"), "--x509cafile", Scenario.RootFile, "--verify-hostname", "localhost",
            "--sni-hostname", "localhost", "--priority", Priority(suite), "--port", $"{port}", "127.0.0.1");
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), TestPki.Server(), Scenario.Kernel);
        Scenario.AssertKernel(ours, suite);

        await Scenario.AssertArrivesAsync(peer, ours, toUs);

        await ours.WriteAsync(toPeer);
        Scenario.AssertSame(toPeer, await peer.ReceivedAsync(toPeer.Length));

        // It says close_notify at the end of its input, and ends at ours.
        peer.CloseInput();
        Assert.Equal(0, await ours.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.True(ours.CloseNotifyReceived);
        await ours.ShutdownAsync();
        await peer.FinishAsync();
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Our_client_and_gnutls_serv(TlsCipherSuite suite)
    {
        byte[] text = Scenario.RandomText(Scenario.Size);
        int port = Scenario.FreePort();
        using PeerProcess peer = PeerProcess.Start(
            "gnutls-serv", "--quiet", "--echo", "--port", $"{port}", "--x509certfile", Scenario.CertificateFile, "--x509keyfile", Scenario.KeyFile,
            "--priority", Priority(suite));
        await peer.WaitForPortAsync(port);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(await Scenario.ConnectAsync(port), TestPki.Client(), Scenario.Kernel);
        Scenario.AssertKernel(ours, suite);

        // It echoes a line at a time.
        byte[] received = new byte[8192];
        for (int i = 0; i < text.Length; i += received.Length)
        {
            Memory<byte> piece = text.AsMemory(i, received.Length);
            await ours.WriteAsync(piece);
            await ours.ReadExactlyAsync(received).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.True(piece.Span.SequenceEqual(received));
        }

        await ours.ShutdownAsync();
        Assert.Equal(0, await ours.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.True(ours.CloseNotifyReceived);
    }

    private static string Priority(TlsCipherSuite suite) => "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+" + suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => "AES-128-GCM",
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => "AES-256-GCM",
        _ => "CHACHA20-POLY1305",
    };
}
