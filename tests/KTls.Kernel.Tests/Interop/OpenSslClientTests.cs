using System.Net.Security;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>Our server over the kernel, and openssl s_client.</summary>
public sealed class OpenSslClientTests
{
    private static readonly TlsCipherSuite Aes128 = TlsCipherSuite.TLS_AES_128_GCM_SHA256;

    [Theory]
    [MemberData(nameof(InKernel.Matrix), MemberType = typeof(InKernel))]
    public async Task Exchanges_data_and_close_notify(TlsCipherSuite suite, string key, NamedGroup group)
    {
        using var folder = new PeerFolder(key);
        using var listener = new PeerListener();
        var counters = new KernelCounters();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, suite, OpenSsl.Name(group), OpenSsl.Usual);
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(suite, key));
        InKernel.Check(ours, suite, group);
        await PeerExchange.BothWaysAsync(ours, peer);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);

        Assert.Equal(0, await peer.EndAsync());
        OpenSsl.CheckCloseNotify(folder);
        Assert.Contains($"Ciphersuite: {suite}", peer.Said, StringComparison.Ordinal);
        Assert.Contains("Verification: OK", peer.Said, StringComparison.Ordinal);
        Assert.Contains(group == NamedGroup.X25519 ? "Server Temp Key: X25519" : "Server Temp Key: ECDH, prime256v1", peer.Said, StringComparison.Ordinal);
        counters.CheckConnections(1);
    }

    [Theory]
    [MemberData(nameof(InKernel.Suites), MemberType = typeof(InKernel))]
    public async Task The_peer_ends_first(TlsCipherSuite suite)
    {
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, suite, "X25519", "-nocommands");
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(suite));
        await peer.WriteAsync("all there is"u8.ToArray());
        PeerExchange.CheckSame("all there is"u8.ToArray(), await PeerExchange.ReadAsync(ours, 12));
        peer.EndInput();
        await InKernel.CheckEndAsync(ours);
        await ours.ShutdownAsync().Soon();
        Assert.Equal(0, await peer.EndAsync());
    }

    [Theory]
    [InlineData("P-384:X25519", NamedGroup.X25519)]
    [InlineData("P-384:P-256", NamedGroup.Secp256r1)]
    [InlineData("X448:P-256:X25519", NamedGroup.X25519)]
    [InlineData("P-521:X448:P-256", NamedGroup.Secp256r1)]
    public async Task A_share_for_another_group_is_answered_by_HelloRetryRequest(string groups, NamedGroup expected)
    {
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, Aes128, groups, OpenSsl.Usual);
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(Aes128));
        InKernel.Check(ours, Aes128, expected);
        await PeerExchange.BothWaysAsync(ours, peer);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);
        Assert.Equal(0, await peer.EndAsync());
        Assert.Equal(2, OpenSsl.CountMessages(folder, ">>>", "ClientHello"));
    }

    [Fact]
    public async Task The_peer_refuses_the_chain_without_its_intermediate()
    {
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, Aes128, "X25519");
        var e = await Assert.ThrowsAsync<System.Security.Authentication.AuthenticationException>(
            () => listener.AcceptAsync(PeerPki.Server(Aes128, sendIntermediate: false)));
        Assert.Equal(AlertDescription.UnknownCa, Assert.IsType<TlsAlertException>(e.InnerException).Description);
        Assert.Equal(1, await peer.EndAsync());
    }

    [Fact]
    public async Task Without_Sni_and_Alpn_there_is_neither()
    {
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, Aes128, "X25519");
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(Aes128));
        Assert.Equal(string.Empty, ours.TargetHostName);
        Assert.Equal(default, ours.NegotiatedApplicationProtocol);
        await ours.ShutdownAsync().Soon();
        await InKernel.CheckEndAsync(ours);
    }

    [Fact]
    public async Task No_common_application_protocol_ends_the_handshake()
    {
        using var folder = new PeerFolder();
        using var listener = new PeerListener();
        await using PeerProcess peer = OpenSsl.StartClient(folder, listener.Port, Aes128, "X25519", "-alpn", "x-other");
        await Assert.ThrowsAsync<System.Security.Authentication.AuthenticationException>(() => listener.AcceptAsync(PeerPki.Server(Aes128)));
        Assert.Equal(1, await peer.EndAsync());
        Assert.Contains("no application protocol", peer.Said, StringComparison.Ordinal);
    }
}
