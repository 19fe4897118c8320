using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Tests;

/// <summary>Sockets that are not as they come.</summary>
public sealed class SocketStateTests
{
    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task A_non_blocking_socket_is_served(DataPlanePolicy plane)
    {
        using TcpPair tcp = TcpPair.Connect();
        tcp.Server.Blocking = false;
        tcp.Client.Blocking = false;
        var options = new KTlsOptions { DataPlane = plane };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options);
        await using KTlsStream server = await accepting;
        await Transfer.BothWaysAsync(server, client, 10_000);
    }

    /// <summary>The failure is told, and not one of giving the socket back.</summary>
    [Fact]
    public async Task A_socket_that_its_owner_closes_during_the_handshake()
    {
        using TcpPair tcp = TcpPair.Connect();
        using var cancellation = new CancellationTokenSource();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace }, cancellation.Token);
        await Task.Delay(50);
        tcp.Server.Dispose();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting.WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
