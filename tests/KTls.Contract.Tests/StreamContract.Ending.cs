using System.Security.Cryptography;

namespace KTls.Contract.Tests;

public abstract partial class StreamContract
{
    [Fact]
    public async Task The_end_is_read_again_and_again()
    {
        await using Pair pair = await ConnectAsync();
        await pair.Client.WriteAsync(new byte[] { 1, 2 });
        await ShutdownAsync(pair.Client);
        var copy = new MemoryStream();
        await pair.Server.CopyToAsync(copy).WaitAsync(Patience);
        Assert.Equal([1, 2], copy.ToArray());
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
            Assert.Equal(0, pair.Server.Read(new byte[1], 0, 1));
        }
    }

    [Fact]
    public async Task Nothing_is_written_after_shutdown_but_read()
    {
        await using Pair pair = await ConnectAsync();
        await ShutdownAsync(pair.Client);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Client.WriteAsync(new byte[1]));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        await pair.Server.WriteAsync(new byte[] { 1, 2, 3 });
        byte[] buffer = new byte[3];
        await pair.Client.ReadExactlyAsync(buffer).AsTask().WaitAsync(Patience);
        Assert.Equal([1, 2, 3], buffer);
    }

    [Fact]
    public async Task The_end_of_TCP_is_the_end_of_the_stream()
    {
        await using Pair pair = await ConnectAsync();
        pair.EndTcp();
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_reset_fails_reads_and_writes()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> reading = pair.Server.ReadAsync(new byte[1]).AsTask();
        pair.ResetTcp();
        await Assert.ThrowsAnyAsync<IOException>(() => reading.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (true)
            {
                await pair.Server.WriteAsync(new byte[10_000]).AsTask().WaitAsync(Patience);
            }
        });
    }

    /// <summary>A peer's TCP that is closed answers what comes with a reset. What it has sent before is read all the same, and its end.</summary>
    [Fact]
    public async Task What_a_peer_sent_is_read_after_a_write_that_it_did_not_want()
    {
        await using Pair pair = await ConnectAsync();
        await AssertWorksAsync(pair);
        byte[] sent = RandomNumberGenerator.GetBytes(50_000);
        await pair.Client.WriteAsync(sent);
        await ShutdownAsync(pair.Client);
        await pair.Client.DisposeAsync();
        await pair.Server.WriteAsync(new byte[1]);
        await Task.Delay(100);
        Assert.Equal(sent, await ReadToEndAsync(pair.Server).WaitAsync(Patience));
    }

    /// <summary>The same without close_notify.</summary>
    [Fact]
    public async Task The_end_of_TCP_is_read_after_a_write_that_nobody_wanted()
    {
        await using Pair pair = await ConnectAsync();
        await AssertWorksAsync(pair);
        pair.CloseTcp();
        await pair.Server.WriteAsync(new byte[1]);
        await Task.Delay(100);
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task Dispose_ends_a_read_that_waits()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> waiting = pair.Server.ReadAsync(new byte[1]).AsTask();
        await pair.Server.DisposeAsync();
        Exception? e = await Record.ExceptionAsync(() => waiting.WaitAsync(Patience));
        Assert.True(e is null or ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
    }

    [Fact]
    public async Task Dispose_ends_a_write_that_waits()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task writing = pair.Client.WriteAsync(TooMuch()).AsTask();
        await Task.Delay(100);
        await pair.Client.DisposeAsync();
        Exception? e = await Record.ExceptionAsync(() => writing.WaitAsync(Patience));
        Assert.True(e is ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
    }

    [Fact]
    public async Task A_disposed_stream_says_so()
    {
        await using Pair pair = await ConnectAsync();
        Stream stream = pair.Server;
        await stream.DisposeAsync();
        await stream.DisposeAsync();
        stream.Dispose();
        Assert.Equal((false, false, false), (stream.CanRead, stream.CanWrite, stream.CanSeek));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => stream.Read(new byte[1], 0, 1));
        Assert.Throws<ObjectDisposedException>(() => stream.Write(new byte[1], 0, 1));
    }

    /// <summary>From an end that has read all it was sent: TCP throws away what is on its way when a socket with unread data is closed.</summary>
    [Fact]
    public async Task What_was_written_before_dispose_arrives()
    {
        await using Pair pair = await ConnectAsync();
        byte[] sent = System.Security.Cryptography.RandomNumberGenerator.GetBytes(300_000);
        Task<byte[]> reading = ReadToEndAsync(pair.Client);
        await pair.Server.WriteAsync(sent);
        await pair.Server.DisposeAsync();
        Assert.Equal(sent, await reading.WaitAsync(Patience));
    }

    private static async Task<byte[]> ReadToEndAsync(Stream stream)
    {
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
