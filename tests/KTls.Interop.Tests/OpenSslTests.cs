using System.Net.Security;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.Interop.Tests;

/// <summary>OpenSSL's s_client and s_server.</summary>
public sealed class OpenSslTests
{
    public static TheoryData<TlsCipherSuite> Suites => Scenario.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public Task Our_server_and_s_client(TlsCipherSuite suite) => ServeAsync(suite, NamedGroup.X25519, "X25519");

    [Fact]
    public Task Our_server_and_s_client_on_P_256() => ServeAsync(TlsCipherSuite.TLS_AES_128_GCM_SHA256, NamedGroup.Secp256r1, "P-256");

    // s_client sends a share for its first group only, which we do not have: our server has to ask for another one.
    [Fact]
    public Task Our_server_asks_s_client_for_another_share() => ServeAsync(TlsCipherSuite.TLS_AES_256_GCM_SHA384, NamedGroup.Secp256r1, "X448:P-256");

    [Theory]
    [MemberData(nameof(Suites))]
    public Task Our_client_and_s_server(TlsCipherSuite suite) => ConnectAsync(suite, NamedGroup.X25519, "-groups", "X25519");

    // Both ends have these, with ML-KEM from different makers.
    [Theory]
    [InlineData(NamedGroup.X25519MLKem768, "X25519MLKEM768")]
    [InlineData(NamedGroup.Secp384r1, "P-384")]
    [InlineData(NamedGroup.Secp521r1, "P-521")]
    public async Task Our_ends_and_OpenSSLs_agree_on_a_group(NamedGroup group, string name)
    {
        await ServeAsync(TlsCipherSuite.TLS_AES_128_GCM_SHA256, group, name);
        await ConnectAsync(TlsCipherSuite.TLS_AES_128_GCM_SHA256, group, "-groups", name);
    }

    // Our client sends shares for X25519MLKEM768 and x25519 only: s_server has to ask for another one.
    [Fact]
    public Task S_server_asks_our_client_for_another_share() => ConnectAsync(TlsCipherSuite.TLS_AES_128_GCM_SHA256, NamedGroup.Secp256r1, "-groups", "P-256");

    private static async Task ServeAsync(TlsCipherSuite suite, NamedGroup group, string groups)
    {
        byte[] toUs = Scenario.RandomText(Scenario.Size);
        byte[] toPeer = Scenario.RandomText(Scenario.Size);
        using Socket listener = Scenario.Listen(out int port);
        using PeerProcess peer = PeerProcess.Start(
            "openssl", "s_client", "-brief", "-connect", $"127.0.0.1:{port}", "-servername", "localhost", "-verify_hostname", "localhost",
            "-CAfile", Scenario.RootFile, "-verify_return_error", "-tls1_3", "-ciphersuites", suite.ToString(), "-groups", groups, "-alpn", "ktls");
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ApplicationProtocols = [new SslApplicationProtocol("ktls")];
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), server, Scenario.Kernel);
        Scenario.AssertKernel(ours, suite);
        Assert.Equal(group, ours.NegotiatedGroup);
        Assert.Equal("ktls", ours.NegotiatedApplicationProtocol.ToString());
        Assert.Equal("localhost", ours.TargetHostName);

        await Scenario.AssertArrivesAsync(peer, ours, toUs);

        await ours.WriteAsync(toPeer);
        await ours.ShutdownAsync();
        string told = await peer.ErrorsAsync();
        Scenario.AssertSame(toPeer, await peer.FinishAsync(), told);
        Assert.Contains(
            group switch
            {
                NamedGroup.X25519MLKem768 => "Negotiated TLS1.3 group: X25519MLKEM768",
                NamedGroup.X25519 => "Peer Temp Key: X25519,",
                NamedGroup.Secp256r1 => "Peer Temp Key: ECDH, prime256v1,",
                NamedGroup.Secp384r1 => "Peer Temp Key: ECDH, secp384r1,",
                _ => "Peer Temp Key: ECDH, secp521r1,",
            },
            told,
            StringComparison.Ordinal);
        Assert.Equal(0, await ours.ReadAsync(new byte[1]));
        Assert.True(ours.CloseNotifyReceived);
    }

    private static async Task ConnectAsync(TlsCipherSuite suite, NamedGroup group, params string[] arguments)
    {
        byte[] toUs = Scenario.RandomText(Scenario.Size);
        byte[] toPeer = Scenario.RandomText(Scenario.Size);
        int port = Scenario.FreePort();
        using PeerProcess peer = PeerProcess.Start(
            "openssl",
            ["s_server", "-quiet", "-naccept", "1", "-accept", $"127.0.0.1:{port}", "-cert", Scenario.CertificateFile, "-key", Scenario.KeyFile,
             "-ciphersuites", suite.ToString(), "-alpn", "other,ktls", .. arguments]);
        await peer.WaitForPortAsync(port);
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ApplicationProtocols = [new SslApplicationProtocol("ktls")];
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(await Scenario.ConnectAsync(port), client, Scenario.Kernel);
        Scenario.AssertKernel(ours, suite);
        Assert.Equal(group, ours.NegotiatedGroup);
        Assert.Equal("ktls", ours.NegotiatedApplicationProtocol.ToString());

        await ours.WriteAsync(toPeer);
        await Scenario.AssertArrivesAsync(peer, ours, toUs);

        // s_server ends when our close_notify comes, and answers it.
        Scenario.AssertSame(toPeer, await peer.ReceivedAsync(toPeer.Length));
        await ours.ShutdownAsync();
        Assert.Equal(0, await ours.ReadAsync(new byte[1]));
        Assert.True(ours.CloseNotifyReceived);
        await peer.FinishAsync();
    }
}
