using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Interop.Tests;

/// <summary>.NET's SslStream, and our own other role.</summary>
public sealed class SslStreamTests
{
    public static TheoryData<TlsCipherSuite> Suites => Scenario.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Our_server_and_SslStream(TlsCipherSuite suite)
    {
        (long sent, long received) = Scenario.KernelConnections();
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CipherSuitesPolicy = Scenario.Only(suite);
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), Scenario.Kernel);
        await handshake;
        Scenario.AssertKernel(ours, suite);
        await Transfer.BothWaysAsync(ours, peer, Scenario.Size);
        Assert.Equal((sent + 1, received + 1), Scenario.KernelConnections());
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Our_client_and_SslStream(TlsCipherSuite suite)
    {
        using TcpPair tcp = TcpPair.Connect();
        SslServerAuthenticationOptions server = TestPki.Server(TestPki.Rsa);
        server.CipherSuitesPolicy = Scenario.Only(suite);
        using var peer = new SslStream(new NetworkStream(tcp.Server));
        Task handshake = peer.AuthenticateAsServerAsync(server);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), Scenario.Kernel);
        await handshake;
        Scenario.AssertKernel(ours, suite);
        await Transfer.BothWaysAsync(ours, peer, Scenario.Size);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Our_server_and_our_client(TlsCipherSuite suite)
    {
        using TcpPair tcp = TcpPair.Connect();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CipherSuitesPolicy = Scenario.Only(suite);
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), Scenario.Kernel);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, Scenario.Kernel);
        await using KTlsStream peer = await accepting;
        Scenario.AssertKernel(ours, suite);
        Scenario.AssertKernel(peer, suite);
        await Transfer.BothWaysAsync(ours, peer, Scenario.Size);
    }

    [Theory]
    [InlineData(KernelDirections.Send)]
    [InlineData(KernelDirections.Receive)]
    [InlineData(KernelDirections.None)]
    public async Task Each_direction_is_chosen_on_its_own(KernelDirections directions)
    {
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(TestPki.Client());
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions
        {
            KernelDirections = directions,
            ReceiveWithoutRekey = ReceiveWithoutRekey.Kernel,
        });
        await handshake;
        Assert.Equal((directions & KernelDirections.Send) != 0 ? DataPlaneKind.Kernel : DataPlaneKind.UserSpace, ours.Sending.Kind);
        Assert.Equal((directions & KernelDirections.Receive) != 0 ? DataPlaneKind.Kernel : DataPlaneKind.UserSpace, ours.Receiving.Kind);
        await Transfer.BothWaysAsync(ours, peer, Scenario.Size);
    }
}
