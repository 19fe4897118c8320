namespace KTls.Contract.Tests;

public abstract partial class StreamContract
{
    [Fact]
    public async Task An_empty_read_can_be_cancelled()
    {
        await using Pair pair = await ConnectAsync();
        using var soon = new CancellationTokenSource(30);
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.Server.ReadAsync(Memory<byte>.Empty, soon.Token).AsTask().WaitAsync(Patience));
        Assert.Equal(soon.Token, e.CancellationToken);
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_copy_can_be_cancelled()
    {
        await using Pair pair = await ConnectAsync();
        using var cancellation = new CancellationTokenSource();
        var copy = new MemoryStream();
        Task copying = pair.Server.CopyToAsync(copy, cancellation.Token);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        while (copy.Length < 3)
        {
            await Task.Delay(10);
        }

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying.WaitAsync(Patience));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task Dispose_ends_an_empty_read_that_waits()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty).AsTask();
        await pair.Server.DisposeAsync();
        Exception? e = await Record.ExceptionAsync(() => waiting.WaitAsync(Patience));
        Assert.True(e is null or ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
    }

    [Fact]
    public async Task Dispose_ends_synchronous_calls_that_wait()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task reading = Task.Run(() => pair.Client.Read(new byte[1], 0, 1));
        Task writing = Task.Run(() => pair.Client.Write(TooMuch()));
        await Task.Delay(200);
        Assert.False(reading.IsCompleted);
        Assert.False(writing.IsCompleted);
        await Task.Run(pair.Client.Dispose).WaitAsync(Patience);
        Exception? read = await Record.ExceptionAsync(() => reading.WaitAsync(Patience));
        Assert.True(read is null or ObjectDisposedException or IOException or OperationCanceledException, $"{read}");
        Exception? write = await Record.ExceptionAsync(() => writing.WaitAsync(Patience));
        Assert.True(write is ObjectDisposedException or IOException or OperationCanceledException, $"{write}");
    }
}
