using System.Net.Security;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>Both our roles over the kernel, against SslStream and against each other.</summary>
public sealed class SslStreamTests
{
    public static TheoryData<TlsCipherSuite, string> Matrix()
    {
        var data = new TheoryData<TlsCipherSuite, string>();
        foreach (TheoryDataRow<TlsCipherSuite> suite in InKernel.Suites)
        {
            data.Add(suite.Data, "ecdsa");
            data.Add(suite.Data, "rsa");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Client_exchanges_data_and_close_notify(TlsCipherSuite suite, string key)
    {
        using TcpPair tcp = await TcpPair.ConnectAsync();
        var counters = new KernelCounters();
        await using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(PeerPki.Client(suite));
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, PeerPki.Server(suite, key), InKernel.Required).Soon();
        await handshake.Soon();
        InKernel.Check(ours, suite, NamedGroup.X25519);
        Assert.Equal(suite, peer.NegotiatedCipherSuite);
        Assert.Equal(SslApplicationProtocol.Http11, peer.NegotiatedApplicationProtocol);
        await Transfer.BothWaysAsync(ours, peer, PeerExchange.Size);
        await InKernel.CheckEndAsync(ours);
        counters.CheckConnections(1);
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Server_exchanges_data_and_close_notify(TlsCipherSuite suite, string key)
    {
        using TcpPair tcp = await TcpPair.ConnectAsync();
        var counters = new KernelCounters();
        await using var peer = new SslStream(new NetworkStream(tcp.Server));
        SslServerAuthenticationOptions options = PeerPki.Server(suite, key);
        SslStreamCertificateContext context = options.ServerCertificateContext!;
        string? seen = null;
        Task handshake = peer.AuthenticateAsServerAsync((_, hello, _, _) =>
        {
            seen = hello.ServerName;
            return ValueTask.FromResult(options);
        }, null);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, PeerPki.Client(suite), InKernel.Required).Soon();
        await handshake.Soon();
        InKernel.Check(ours, suite, NamedGroup.X25519);
        Assert.Equal(suite, peer.NegotiatedCipherSuite);
        Assert.Equal(SslApplicationProtocol.Http11, peer.NegotiatedApplicationProtocol);
        Assert.Equal("localhost", seen);
        Assert.Equal(context.TargetCertificate.RawData, ours.RemoteCertificate!.RawData);
        await Transfer.BothWaysAsync(ours, peer, PeerExchange.Size);
        await InKernel.CheckEndAsync(ours);
        counters.CheckConnections(1);
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Ours_exchange_data_and_close_notify(TlsCipherSuite suite, string key)
    {
        using TcpPair tcp = await TcpPair.ConnectAsync();
        var counters = new KernelCounters();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, PeerPki.Server(suite, key), InKernel.Required);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, PeerPki.Client(suite), InKernel.Required).Soon();
        await using KTlsStream server = await accepting.Soon();
        InKernel.Check(client, suite, NamedGroup.X25519);
        InKernel.Check(server, suite, NamedGroup.X25519);
        await Transfer.BothWaysAsync(client, server, PeerExchange.Size);
        await InKernel.CheckEndAsync(client);
        await InKernel.CheckEndAsync(server);
        counters.CheckConnections(2);
    }
}
