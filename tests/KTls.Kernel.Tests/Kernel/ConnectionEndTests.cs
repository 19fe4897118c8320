using System.Net.Sockets;

namespace KTls.Kernel.Tests;

public class ConnectionEndTests
{
    [Theory]
    [InlineData(CryptoInfo.Tls12)]
    [InlineData(CryptoInfo.Tls13)]
    public async Task The_peers_FIN_without_close_notify_is_the_end_of_the_stream(int version)
    {
        using KernelPair pair = KernelPair.Secure((ushort)version);
        Task<ReceivedRecord> receive = pair.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).AsTask();
        pair.Client.Dispose();
        pair.ClientSocket.Dispose();
        Assert.Equal(new ReceivedRecord(0, 0, true), await receive.Soon());
        Assert.Equal(
            new ReceivedRecord(0, 0, true), await pair.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).Soon());
    }

    [Fact]
    public async Task Data_before_the_FIN_comes_first()
    {
        using KernelPair pair = KernelPair.Secure();
        await pair.Client.SendAsync("last"u8.ToArray(), CancellationToken.None);
        pair.Client.Dispose();
        pair.ClientSocket.Dispose();
        byte[] buffer = new byte[10];
        Assert.Equal(new ReceivedRecord(23, 4, false), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
        Assert.Equal(new ReceivedRecord(0, 0, true), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
    }

    [Fact]
    public async Task A_half_closed_peer_still_gets_data()
    {
        using KernelPair pair = KernelPair.Secure();
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        byte[] buffer = new byte[10];
        Assert.Equal(new ReceivedRecord(0, 0, true), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
        await pair.Server.SendAsync("still"u8.ToArray(), CancellationToken.None);
        Assert.Equal(new ReceivedRecord(23, 5, false), await pair.Client.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
    }

    // A record that the FIN cuts off must not look like a clean end with data.
    [Fact]
    public async Task A_FIN_inside_a_record_brings_no_data()
    {
        using UserSpacePeer peer = new(CryptoInfo.Tls13);
        byte[] record = peer.Sealer.Seal(23, "hello"u8);
        peer.Wire.Send(record[..^1]);
        peer.Wire.Shutdown(SocketShutdown.Send);
        Assert.Equal(
            new ReceivedRecord(0, 0, true), await peer.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).Soon());
    }

    [Fact]
    public async Task A_reset_ends_a_waiting_receive_with_the_socket_error()
    {
        using KernelPair pair = KernelPair.Secure();
        Task<ReceivedRecord> receive = pair.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).AsTask();
        Reset(pair);
        AssertConnectionError(await Assert.ThrowsAnyAsync<IOException>(() => receive.Soon()), SocketError.ConnectionReset);
    }

    [Fact]
    public async Task A_reset_ends_a_waiting_send()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        Task send = pair.Server.SendAsync(new byte[3_000_000], CancellationToken.None).AsTask();
        await Task.Delay(50);
        Assert.False(send.IsCompleted);
        Reset(pair);
        IOException exception = await Assert.ThrowsAnyAsync<IOException>(() => send.Soon());
        AssertConnectionError(exception, SocketError.ConnectionReset, SocketError.Shutdown);

        // And every later one.
        for (int i = 0; i < 3; i++)
        {
            exception = await Assert.ThrowsAnyAsync<IOException>(
                () => pair.Server.SendAsync(new byte[100], CancellationToken.None).Soon());
            AssertConnectionError(exception, SocketError.ConnectionReset, SocketError.Shutdown);
        }
    }

    [Fact]
    public async Task A_reset_ends_a_waiting_file()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using TempFile file = new(new byte[3_000_000]);
        Task<long> send = pair.Server.SendFileAsync(file.Handle, 0, 3_000_000, CancellationToken.None).AsTask();
        await Task.Delay(50);
        Assert.False(send.IsCompleted);
        Reset(pair);
        IOException exception = await Assert.ThrowsAnyAsync<IOException>(() => send.Soon());
        AssertConnectionError(exception, SocketError.ConnectionReset, SocketError.Shutdown);
    }

    // What the kernel has sealed but TCP had no room for is lost at a close or shutdown, without the flushes.
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(32768, false)]
    [InlineData(32768, true)]
    public async Task After_a_flush_everything_sent_arrives_although_the_connection_ends(int bufferSize, bool shutdown)
    {
        Random random = new(bufferSize);
        for (int i = 0; i < 40; i++)
        {
            using KernelPair pair = KernelPair.Secure(bufferSize: bufferSize);
            byte[] data = Transfer.Bytes(100_000 + random.Next(200_000), seed: i);
            Task<byte[]> receive = Task.Run(async () =>
            {
                await Task.Delay(2);
                byte[] received = await Transfer.ReceiveAsync(pair.Server, data.Length);
                byte[] alert = new byte[2];
                Assert.Equal(new ReceivedRecord(21, 2, false), await pair.Server.ReceiveRecordAsync(alert, CancellationToken.None));
                Assert.Equal(new ReceivedRecord(0, 0, true), await pair.Server.ReceiveRecordAsync(alert, CancellationToken.None));
                return received;
            });

            int sent = 0;
            while (sent < data.Length)
            {
                int length = Math.Min(data.Length - sent, random.Next(1, 40_000));
                await pair.Client.SendAsync(data.AsMemory(sent, length), CancellationToken.None).Soon();
                sent += length;
            }

            await pair.Client.FlushAsync(CancellationToken.None).Soon();
            await pair.Client.SendControlAsync(21, new byte[] { 1, 0 }, CancellationToken.None).Soon();
            await pair.Client.FlushAsync(CancellationToken.None).Soon();
            if (shutdown)
            {
                pair.ClientSocket.Shutdown(SocketShutdown.Send);
            }
            else
            {
                pair.Client.Dispose();
                pair.ClientSocket.Dispose();
            }

            Assert.Equal(data, await receive.Soon());
        }
    }

    [Theory]
    [InlineData(4096, 32768)]
    [InlineData(60000, 60000)]
    public void A_send_buffer_of_hardly_a_record_grows_with_the_keys(int asked, int expected)
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: asked);
        Assert.Equal(expected * 2, pair.ClientSocket.SendBufferSize);
    }

    [Fact]
    public async Task Dispose_ends_waits_on_an_encrypted_connection()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        Task<ReceivedRecord> receive = pair.Server.ReceiveRecordAsync(new byte[10], CancellationToken.None).AsTask();
        Task send = pair.Server.SendAsync(new byte[3_000_000], CancellationToken.None).AsTask();
        await Task.Delay(20);
        pair.Server.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => send.Soon());
    }

    private static void Reset(KernelPair pair)
    {
        pair.Client.Dispose();
        pair.ClientSocket.Close(0); // SO_LINGER 0: RST
    }

    private static void AssertConnectionError(IOException exception, params SocketError[] expected)
    {
        SocketException inner = Assert.IsType<SocketException>(exception.InnerException);
        Assert.Contains(inner.SocketErrorCode, expected);
    }
}
