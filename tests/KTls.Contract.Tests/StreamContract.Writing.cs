using System.Net.Security;
using System.Security.Cryptography;

namespace KTls.Contract.Tests;

public abstract partial class StreamContract
{
    [Fact]
    public async Task An_empty_write_sends_nothing()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> reading = pair.Server.ReadAsync(new byte[1]).AsTask();
        await pair.Client.WriteAsync(ReadOnlyMemory<byte>.Empty);
        await Task.Delay(100);
        Assert.False(reading.IsCompleted);
        await pair.Client.WriteAsync(new byte[1]);
        Assert.Equal(1, await reading.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_write_waits_for_a_slow_reader()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        byte[] sent = RandomNumberGenerator.GetBytes(1 << 20);
        Task writing = pair.Client.WriteAsync(sent).AsTask();
        await Task.Delay(200);
        Assert.False(writing.IsCompleted);
        byte[] received = new byte[sent.Length];
        await pair.Server.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task A_second_write_is_refused_while_one_waits()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        byte[] sent = TooMuch();
        Task writing = pair.Client.WriteAsync(sent).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Client.WriteAsync(new byte[1]));
        byte[] received = new byte[sent.Length];
        await pair.Server.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        Assert.True(sent.AsSpan().SequenceEqual(received));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_write_that_waits_can_be_cancelled()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        using var cancellation = new CancellationTokenSource();
        Task writing = pair.Client.WriteAsync(TooMuch(), cancellation.Token).AsTask();
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);
        await cancellation.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Patience));
        Assert.Equal(cancellation.Token, e.CancellationToken);
    }

    [Fact]
    public async Task Reading_goes_on_while_a_write_waits()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task writing = pair.Client.WriteAsync(TooMuch()).AsTask();
        await pair.Server.WriteAsync(new byte[] { 5 });
        byte[] one = new byte[1];
        Assert.Equal(1, await pair.Client.ReadAsync(one).AsTask().WaitAsync(Patience));
        Assert.Equal(5, one[0]);
        Assert.False(writing.IsCompleted);
        await pair.Client.DisposeAsync();
        await Record.ExceptionAsync(() => writing.WaitAsync(Patience));
        Assert.True(writing.IsCompleted);
    }

    [Fact]
    public async Task A_synchronous_write_ends_at_WriteTimeout()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Assert.Equal(Timeout.Infinite, pair.Client.WriteTimeout);
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Client.WriteTimeout = 0);
        pair.Client.WriteTimeout = 200;
        Assert.Equal(200, pair.Client.WriteTimeout);
        await Task.Run(() => Assert.Throws<IOException>(() => pair.Client.Write(TooMuch(), 0, 16 << 20))).WaitAsync(Patience);
    }
}
