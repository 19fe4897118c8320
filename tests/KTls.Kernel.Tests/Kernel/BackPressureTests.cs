namespace KTls.Kernel.Tests;

public class BackPressureTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(8192)]
    public async Task Megabytes_both_ways_at_once(int bufferSize)
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: bufferSize);
        byte[] up = Transfer.Bytes(6_000_000, seed: 1);
        byte[] down = Transfer.Bytes(6_000_001, seed: 2);
        Task<byte[]> atServer = Task.Run(() => Transfer.ReceiveAsync(pair.Server, up.Length));
        Task<byte[]> atClient = Task.Run(() => Transfer.ReceiveAsync(pair.Client, down.Length));
        Task sendUp = Task.Run(async () => await pair.Client.SendAsync(up, CancellationToken.None));
        Task sendDown = Task.Run(async () => await pair.Server.SendAsync(down, CancellationToken.None));
        await Task.WhenAll(sendUp, sendDown).Soon();
        Assert.Equal(up, await atServer.Soon());
        Assert.Equal(down, await atClient.Soon());
    }

    /// <summary>
    /// The kernel has a limit of memory for all sockets together (tcp_mem). At the limit a send fails with EAGAIN although its socket has
    /// room, and kernel TLS lets no event follow; and it makes send buffers small, in which TCP keeps back the records of a file.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sends_go_on_where_sockets_are_short_of_memory(bool sendFile)
    {
        const string Limit = "/proc/sys/net/ipv4/tcp_mem";
        string before = await File.ReadAllTextAsync(Limit);
        KernelPair[] pairs = [.. Enumerable.Range(0, 24).Select(_ => KernelPair.Secure())];
        byte[] data = Transfer.Bytes(1_000_000);
        using TempFile file = new(data);
        try
        {
            await File.WriteAllTextAsync(Limit, "500 700 900");
            await Task.WhenAll(pairs.Select(pair => Task.Run(async () =>
            {
                Task<byte[]> receiving = Transfer.ReceiveAsync(pair.Server, data.Length);
                if (sendFile)
                {
                    Assert.Equal(data.Length, await pair.Client.SendFileAsync(file.Handle, 0, data.Length, CancellationToken.None));
                }
                else
                {
                    await pair.Client.SendAsync(data, CancellationToken.None);
                }

                Assert.Equal(data, await receiving);
            }))).Soon();
        }
        finally
        {
            await File.WriteAllTextAsync(Limit, before);
            Array.ForEach(pairs, pair => pair.Dispose());
        }
    }

    /// <summary>A user may make the send buffer small at any time: TCP must not keep back the records of a file that fill it.</summary>
    [Fact]
    public async Task A_file_goes_through_a_send_buffer_of_hardly_a_record()
    {
        using KernelPair pair = KernelPair.Secure();
        pair.ClientSocket.SendBufferSize = 20_000;
        byte[] data = Transfer.Bytes(1_000_000);
        using TempFile file = new(data);
        Task<byte[]> receiving = Transfer.ReceiveAsync(pair.Server, data.Length);
        Assert.Equal(data.Length, await pair.Client.SendFileAsync(file.Handle, 0, data.Length, CancellationToken.None).Soon());
        Assert.Equal(data, await receiving.Soon());
    }

    [Fact]
    public async Task The_sender_waits_while_the_receiver_stalls()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        byte[] data = Transfer.Bytes(2_000_000);
        Task send = pair.Client.SendAsync(data, CancellationToken.None).AsTask();
        await Task.Delay(100);
        Assert.False(send.IsCompleted);

        // A little progress wakes it, but not for good.
        byte[] first = await Transfer.ReceiveAsync(pair.Server, 100_000).Soon();
        await Task.Delay(100);
        Assert.False(send.IsCompleted);
        byte[] rest = await Transfer.ReceiveAsync(pair.Server, data.Length - first.Length).Soon();
        await send.Soon();
        Assert.Equal(data, first.Concat(rest));
    }

    [Fact]
    public async Task A_cancelled_send_stops_between_records_and_the_connection_goes_on()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        byte[] data = Transfer.Bytes(2_000_000);
        using CancellationTokenSource cancel = new();
        Task send = pair.Client.SendAsync(data, cancel.Token).AsTask();
        await Task.Delay(50);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.Soon());

        await pair.AssertPrefixArrivedAsync(data);
    }

    [Fact]
    public async Task Flush_waits_for_room_to_send()
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        Assert.True(pair.Client.FlushAsync(CancellationToken.None).IsCompletedSuccessfully);

        // TCP makes a little room for a while, by its window probes.
        using CancellationTokenSource cancelFlush = new();
        Task cancelled = Task.CompletedTask;
        for (int i = 0; i < 50 && cancelled.IsCompleted; i++)
        {
            using CancellationTokenSource full = new(50);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => pair.Client.SendAsync(new byte[2_000_000], full.Token).Soon());
            cancelled = pair.Client.FlushAsync(cancelFlush.Token).AsTask();
            await Task.Delay(50);
        }

        Assert.False(cancelled.IsCompleted);
        await cancelFlush.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Soon());

        Task flush = pair.Client.FlushAsync(CancellationToken.None).AsTask();
        byte[] buffer = new byte[65536];
        for (int i = 0; i < 600 && !flush.IsCompleted; i++)
        {
            while (pair.Server.TryReceiveRecord(buffer, out _))
            {
            }

            await Task.Delay(10);
        }

        await flush.Soon();
    }

    [Fact]
    public async Task A_cancelled_receive_loses_no_record()
    {
        using KernelPair pair = KernelPair.Secure();
        byte[] buffer = new byte[100];
        for (int i = 0; i < 100; i++)
        {
            using CancellationTokenSource cancel = new();
            ValueTask<ReceivedRecord> receive = pair.Server.ReceiveRecordAsync(buffer, cancel.Token);
            Task cancelling = Task.Run(cancel.Cancel);
            await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
            ReceivedRecord record;
            try
            {
                record = await receive.Soon();
            }
            catch (OperationCanceledException)
            {
                record = await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon();
            }

            Assert.Equal(new ReceivedRecord(23, 1, false), record);
            await cancelling;
        }
    }

    [Fact]
    public async Task A_token_cancelled_before_sends_and_receives_nothing()
    {
        using KernelPair pair = KernelPair.Secure();
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Client.SendAsync(new byte[10], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await pair.Client.SendControlAsync(21, new byte[2], cancelled));
        await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        byte[] buffer = new byte[10];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await pair.Server.ReceiveRecordAsync(buffer, cancelled));
        Assert.Equal(new ReceivedRecord(23, 1, false), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
    }
}
