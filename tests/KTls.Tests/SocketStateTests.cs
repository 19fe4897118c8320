using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

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

    /// <summary>Its owner may use it for something else, as it was: whether it blocks is not changed for good, nor for a while.</summary>
    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, true)]
    [InlineData(DataPlanePolicy.UserSpace, false)]
    [InlineData(DataPlanePolicy.SslStream, true)]
    [InlineData(DataPlanePolicy.SslStream, false)]
    public async Task A_failed_handshake_leaves_a_socket_as_it_was(DataPlanePolicy plane, bool blocks)
    {
        using TcpPair tcp = TcpPair.Connect();
        tcp.Server.Blocking = blocks;
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = plane });
        await tcp.Client.SendAsync("GET / HTTP/1.1"u8.ToArray());
        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => accepting.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(failure is AuthenticationException or IOException, failure.ToString());
        Assert.Equal(blocks, tcp.Server.Blocking);
        Task<int> receiving = Task.Factory.StartNew(() => tcp.Server.Receive(new byte[1]), TaskCreationOptions.LongRunning);
        if (blocks)
        {
            await Task.Delay(50);
            Assert.False(receiving.IsCompleted);
            await tcp.Client.SendAsync(new byte[1]);
            Assert.Equal(1, await receiving.WaitAsync(TimeSpan.FromSeconds(20)));
        }
        else
        {
            SocketException e = await Assert.ThrowsAsync<SocketException>(() => receiving.WaitAsync(TimeSpan.FromSeconds(20)));
            Assert.Equal(SocketError.WouldBlock, e.SocketErrorCode);
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, false)]
    [InlineData(DataPlanePolicy.SslStream, false)]
    [InlineData(DataPlanePolicy.SslStream, true)]
    public async Task A_socket_that_is_left_open_is_as_it_was(DataPlanePolicy plane, bool asynchronously)
    {
        using TcpPair tcp = TcpPair.Connect();
        tcp.Server.Blocking = false;
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = plane, LeaveSocketOpen = true });
        await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), new KTlsOptions { DataPlane = plane });
        KTlsStream server = await accepting;
        await Transfer.BothWaysAsync(server, client, 1000);
        if (asynchronously)
        {
            await server.DisposeAsync();
        }
        else
        {
            server.Dispose();
        }

        Assert.False(tcp.Server.Blocking);
        Assert.False(tcp.Server.SafeHandle.IsClosed);
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
