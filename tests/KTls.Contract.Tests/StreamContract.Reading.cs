using System.Net.Security;

namespace KTls.Contract.Tests;

public abstract partial class StreamContract
{
    [Fact]
    public async Task An_empty_read_waits_for_data_and_takes_none()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty).AsTask();
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 7 });
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        Assert.Equal(0, await pair.Server.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Patience));
        byte[] one = new byte[1];
        Assert.Equal(1, await pair.Server.ReadAsync(one).AsTask().WaitAsync(Patience));
        Assert.Equal(7, one[0]);
    }

    [Fact]
    public async Task An_empty_read_ends_with_the_stream()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty).AsTask();
        await ShutdownAsync(pair.Client);
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_second_read_is_refused_while_one_waits()
    {
        await using Pair pair = await ConnectAsync();
        byte[] buffer = new byte[1];
        Task<int> waiting = pair.Server.ReadAsync(buffer).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.ReadAsync(new byte[1]));
        await pair.Client.WriteAsync(new byte[] { 8 });
        Assert.Equal(1, await waiting.WaitAsync(Patience));
        Assert.Equal(8, buffer[0]);
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        await using Pair pair = await ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            using var soon = new CancellationTokenSource(30);
            OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.ReadAsync(new byte[1], soon.Token));
            Assert.Equal(soon.Token, e.CancellationToken);
        }

        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_small_buffer_takes_a_record_in_parts()
    {
        await using Pair pair = await ConnectAsync();
        byte[] sent = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        await pair.Client.WriteAsync(sent);
        byte[] received = new byte[sent.Length];
        for (int i = 0; i < received.Length; i += 7)
        {
            await pair.Server.ReadExactlyAsync(received.AsMemory(i, Math.Min(7, received.Length - i))).AsTask().WaitAsync(Patience);
        }

        Assert.Equal(sent, received);
    }

    [Fact]
    public async Task A_synchronous_read_ends_at_ReadTimeout()
    {
        await using Pair pair = await ConnectAsync();
        Assert.Equal(Timeout.Infinite, pair.Server.ReadTimeout);
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Server.ReadTimeout = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Server.ReadTimeout = -2);
        pair.Server.ReadTimeout = 100;
        Assert.Equal(100, pair.Server.ReadTimeout);
        await Task.Run(() => Assert.Throws<IOException>(() => pair.Server.Read(new byte[1], 0, 1))).WaitAsync(Patience);

        // It is for synchronous reads alone.
        Task<int> reading = pair.Server.ReadAsync(new byte[1]).AsTask();
        await Task.Delay(300);
        Assert.False(reading.IsCompleted);
        await pair.Client.WriteAsync(new byte[1]);
        Assert.Equal(1, await reading.WaitAsync(Patience));
    }
}
