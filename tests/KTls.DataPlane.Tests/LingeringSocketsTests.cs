using System.Net.Sockets;
using System.Security.Cryptography;

namespace KTls.DataPlane.Tests;

/// <summary>What is left to send after a stream is gone, and for how long.</summary>
public sealed class LingeringSocketsTests
{
    // Small, but so large that a few bytes that TCP squeezes through while it probes make no room to speak of.
    private const int Buffer = 128 * 1024;

    [Fact]
    public async Task A_socket_without_room_is_closed_when_there_is_some()
    {
        var lingering = new LingeringSockets(10, Lab.Patience);
        using TcpPair tcp = TcpPair.Connect(bufferSize: Buffer);
        int sent = Fill(tcp.Server);
        lingering.Add(tcp.Server);
        await Task.Delay(50);
        Assert.Equal(1, lingering.Count);
        Assert.Equal((sent, null), await DrainAsync(tcp.Client));
        Assert.Equal(0, lingering.Count);
    }

    [Fact]
    public async Task Too_many_cost_the_oldest_its_rest()
    {
        var lingering = new LingeringSockets(3, Lab.Patience);
        TcpPair[] pairs = [.. Enumerable.Range(0, 5).Select(_ => TcpPair.Connect(bufferSize: Buffer))];
        int[] sent = [.. pairs.Select(pair => Fill(pair.Server))];
        foreach (TcpPair pair in pairs)
        {
            lingering.Add(pair.Server);
        }

        await WaitUntilAsync(() => IsClosed(pairs[0].Server) && IsClosed(pairs[1].Server));
        Assert.Equal(3, lingering.Count);
        for (int i = 0; i < pairs.Length; i++)
        {
            (int received, SocketError? error) = await DrainAsync(pairs[i].Client);
            Assert.Equal(i < 2 ? SocketError.ConnectionReset : null, error);
            Assert.InRange(received, i < 2 ? 0 : sent[i], sent[i]);
            pairs[i].Dispose();
        }

        Assert.Equal(0, lingering.Count);
    }

    [Fact]
    public async Task Patience_ends()
    {
        var lingering = new LingeringSockets(3, TimeSpan.FromMilliseconds(50));
        using TcpPair tcp = TcpPair.Connect(bufferSize: Buffer);
        Fill(tcp.Server);
        lingering.Add(tcp.Server);
        await WaitUntilAsync(() => lingering.Count == 0);
        Assert.Equal(SocketError.ConnectionReset, (await DrainAsync(tcp.Client)).Error);
    }

    [Fact]
    public async Task A_peer_that_goes_away_ends_it()
    {
        var lingering = new LingeringSockets(3, Lab.Patience);
        using TcpPair tcp = TcpPair.Connect(bufferSize: Buffer);
        Fill(tcp.Server);
        lingering.Add(tcp.Server);
        tcp.Client.Close(0);
        await WaitUntilAsync(() => lingering.Count == 0);
    }

    /// <summary>A stream that is disposed of with records that TCP has no room for leaves them to the background.</summary>
    [Fact]
    public async Task A_stream_leaves_its_last_records_behind()
    {
        // Other tests' streams may have left some, too.
        await WaitUntilAsync(() => LingeringSockets.Shared.Count == 0);
        byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel }, bufferSize: Buffer);
        using var soon = new CancellationTokenSource(500);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await link.Ours.WriteAsync(data, soon.Token));
        Assert.Equal(0, LingeringSockets.Shared.Count);
        await link.Ours.DisposeAsync();
        Assert.Equal(1, LingeringSockets.Shared.Count);
        Assert.Null((await DrainAsync(link.Tcp.Client)).Error);
        await WaitUntilAsync(() => LingeringSockets.Shared.Count == 0);
    }

    private static int Fill(Socket socket)
    {
        // Until there is no room for good: what was sent first may still be on its way to the other end.
        socket.Blocking = false;
        int sent = 0;
        byte[] data = new byte[10_000];
        while (socket.Poll(TimeSpan.FromMilliseconds(400), SelectMode.SelectWrite))
        {
            int now = socket.Send(data, SocketFlags.None, out SocketError error);
            Assert.True(error is SocketError.Success or SocketError.WouldBlock, $"{error}");
            sent += now;
        }

        return sent;
    }

    private static async Task<(int Received, SocketError? Error)> DrainAsync(Socket socket)
    {
        int received = 0;
        byte[] buffer = new byte[10_000];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer).WaitAsync(Lab.Patience)) != 0)
            {
                received += read;
            }

            return (received, null);
        }
        catch (SocketException e)
        {
            return (received, e.SocketErrorCode);
        }
    }

    private static bool IsClosed(Socket socket) => socket.SafeHandle.IsClosed;

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.InRange(i, 0, 500);
            await Task.Delay(10);
        }
    }
}
