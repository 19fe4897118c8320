using System.Net.Security;
using System.Security.Cryptography;

namespace KTls.Contract.Tests;

/// <summary>
/// What a user of SslStream relies on, the same whoever seals and opens. It runs on bare SslStream, too: what is written here is
/// how .NET's own stream behaves, not how we would like it.
/// </summary>
public abstract partial class StreamContract
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Connects a pair. A buffer size limits the kernel's buffers, so that a write soon has to wait.</summary>
    protected abstract Task<Pair> ConnectAsync(int bufferSize = 0);

    protected abstract Task ShutdownAsync(Stream stream);

    [Fact]
    public async Task Data_goes_both_ways_at_once()
    {
        await using Pair pair = await ConnectAsync();
        await Task.WhenAll(Transfer.OneWayAsync(pair.Client, pair.Server, 2_000_000), Transfer.OneWayAsync(pair.Server, pair.Client, 2_000_000)).WaitAsync(Patience);
    }

    [Fact]
    public async Task Nothing_can_be_sought()
    {
        await using Pair pair = await ConnectAsync();
        Stream stream = pair.Server;
        Assert.Equal((true, true, false, true), (stream.CanRead, stream.CanWrite, stream.CanSeek, stream.CanTimeout));
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    [Fact]
    public async Task Arguments_are_checked()
    {
        await using Pair pair = await ConnectAsync();
        Stream stream = pair.Server;
        byte[] buffer = new byte[10];
        await Assert.ThrowsAsync<ArgumentNullException>(() => stream.ReadAsync(null!, 0, 1));
        await Assert.ThrowsAsync<ArgumentNullException>(() => stream.WriteAsync(null!, 0, 1));
        foreach ((int offset, int count) in new[] { (-1, 1), (0, -1), (0, 11), (10, 1), (int.MaxValue, int.MaxValue) })
        {
            await Assert.ThrowsAnyAsync<ArgumentOutOfRangeException>(() => stream.ReadAsync(buffer, offset, count));
            await Assert.ThrowsAnyAsync<ArgumentOutOfRangeException>(() => stream.WriteAsync(buffer, offset, count));
            Assert.ThrowsAny<ArgumentOutOfRangeException>(() => stream.Read(buffer, offset, count));
            Assert.ThrowsAny<ArgumentOutOfRangeException>(() => stream.Write(buffer, offset, count));
        }

        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task The_old_ways_work_too()
    {
        await using Pair pair = await ConnectAsync();
        await Task.Run(() =>
        {
            pair.Client.WriteByte(1);
            pair.Client.Write([2, 3]);
            pair.Client.Write([9, 4, 9], 1, 1);
            pair.Client.EndWrite(pair.Client.BeginWrite([5], 0, 1, null, null));
            pair.Client.Flush();
            Assert.Equal(1, pair.Server.ReadByte());
            byte[] buffer = new byte[3];
            pair.Server.ReadExactly(buffer);
            Assert.Equal([2, 3, 4], buffer);
            Assert.Equal(1, pair.Server.EndRead(pair.Server.BeginRead(buffer, 2, 1, null, null)));
            Assert.Equal(5, buffer[2]);
        }).WaitAsync(Patience);
        await pair.Client.FlushAsync();
        await AssertWorksAsync(pair);
    }

    /// <summary>Data goes both ways, and nothing stands before it.</summary>
    protected static async Task AssertWorksAsync(Pair pair)
    {
        await Transfer.OneWayAsync(pair.Client, pair.Server, 50_000).WaitAsync(Patience);
        await Transfer.OneWayAsync(pair.Server, pair.Client, 50_000).WaitAsync(Patience);
    }

    // More than all buffers on the way hold.
    private static byte[] TooMuch() => RandomNumberGenerator.GetBytes(16 << 20);
}
