using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace KTls.Contract.Tests;

/// <content>Synchronous reads and writes, whose threads wait inside system calls.</content>
public abstract partial class KTlsContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(32 * 1024)]
    public async Task Threads_that_block_move_much_data_both_ways(int bufferSize)
    {
        await using Pair pair = await ConnectAsync(bufferSize: bufferSize);
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        Task[] threads =
        [
            OnThread(() => pair.Client.Write(content, 0, content.Length)),
            OnThread(() => pair.Server.Write(content, 0, content.Length)),
            OnThread(() => Assert.Equal(content, Take(pair.Client, content.Length))),
            OnThread(() => Assert.Equal(content, Take(pair.Server, content.Length))),
        ];
        await Task.WhenAll(threads).WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    /// <summary>A file that was sent has changed the socket for good: then no call blocks in the kernel.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Synchronous_and_asynchronous_reads_take_turns(bool afterAFile)
    {
        await using Pair pair = await ConnectAsync();
        if (afterAFile)
        {
            using SafeFileHandle file = TempFile(new byte[1]);
            Assert.Equal(1, await Client(pair).SendFileAsync(file, 0, 1));
            Assert.Equal(new byte[1], Take(pair.Server, 1));
        }

        for (int i = 1; i < 20; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(i * 1000);
            Task<byte[]> reading = i % 2 == 0 ? Task.Run(() => Take(pair.Client, content.Length)) : TakeAsync(pair.Client, content.Length);
            await Task.Delay(i % 3);
            await pair.Server.WriteAsync(content);
            Assert.Equal(content, await reading.WaitAsync(Patience));
        }

        await AssertWorksAsync(pair);
    }

    /// <summary>Where a signal comes out of the call, nothing is told of it.</summary>
    [Fact]
    public async Task Signals_end_no_read_that_blocks()
    {
        await using Pair pair = await ConnectAsync();
        Task<byte[]> reading = Task.Run(() => Take(pair.Server, 1));
        for (int i = 0; i < 5; i++)
        {
            using Process signal = Process.Start("kill", ["-CONT", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
            await signal.WaitForExitAsync();
        }

        Assert.False(reading.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 7 });
        Assert.Equal([7], await reading.WaitAsync(Patience));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_read_that_took_too_long_can_be_tried_again()
    {
        await using Pair pair = await ConnectAsync();
        pair.Server.ReadTimeout = 50;
        await OnThread(() =>
        {
            IOException e = Assert.Throws<IOException>(() => pair.Server.Read(new byte[1], 0, 1));
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
        }).WaitAsync(Patience);
        pair.Server.ReadTimeout = 30_000;
        Task<byte[]> reading = Task.Run(() => Take(pair.Server, 3));
        await Task.Delay(50);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.Equal([1, 2, 3], await reading.WaitAsync(Patience));
        await AssertWorksAsync(pair);
    }

    /// <summary>A reader that blocks keeps nobody from writing, and is not told of what a later Dispose did to the socket as of an end.</summary>
    [Fact]
    public async Task Dispose_is_no_end_of_the_stream()
    {
        for (int i = 0; i < 20; i++)
        {
            await using Pair pair = await ConnectAsync();
            Task<int> reading = Task.Run(() => pair.Client.Read(new byte[1], 0, 1));
            await pair.Client.WriteAsync(new byte[100]);
            Assert.Equal(new byte[100], Take(pair.Server, 100));
            await Task.Delay(i);
            await OnThread(pair.Client.Dispose).WaitAsync(Patience);
            Exception? e = await Record.ExceptionAsync(() => reading.WaitAsync(Patience));
            Assert.True(e is ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
        }
    }

    /// <summary>Who closes the socket himself ends the stream, too, and the reader is not told that the peer did.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_socket_that_its_owner_closes_is_no_end_of_the_stream(bool isSynchronous)
    {
        await using Pair pair = await ConnectAsync();
        Task<int> reading = isSynchronous ? Task.Run(() => pair.Client.Read(new byte[1], 0, 1)) : pair.Client.ReadAsync(new byte[1]).AsTask();
        await Task.Delay(100);
        await OnThread(pair.CloseTcp).WaitAsync(Patience);
        Exception? e = await Record.ExceptionAsync(() => reading.WaitAsync(Patience));
        Assert.True(e is ObjectDisposedException or IOException or OperationCanceledException, $"{e}");
    }

    /// <summary>Behind SslStream a synchronous read waits for an asynchronous one.</summary>
    [Fact]
    public async Task A_read_that_blocks_allocates_nothing()
    {
        await using Pair pair = await ConnectAsync();
        byte[] buffer = new byte[2000];
        await OnThread(() =>
        {
            const int Rounds = 500;
            Play(Rounds);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Play(Rounds);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(Kind == DataPlaneKind.SslStream || allocated < Rounds * 4, $"{allocated} bytes");
        }).WaitAsync(Patience);

        void Play(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                pair.Client.WriteAsync(buffer.AsMemory(0, 1000)).AsTask().GetAwaiter().GetResult();
                for (int left = 1000; left != 0;)
                {
                    left -= pair.Server.Read(buffer, 0, left);
                }
            }
        }
    }

    /// <summary>Behind SslStream a synchronous write waits for an asynchronous one.</summary>
    [Theory]
    [InlineData(0, 1000)]
    [InlineData(32 * 1024, 200_000)] // for which there is never room at once
    public async Task A_write_that_blocks_allocates_nothing(int bufferSize, int size)
    {
        await using Pair pair = await ConnectAsync(bufferSize: bufferSize);
        const int Rounds = 100;
        byte[] buffer = new byte[size];
        Task reading = OnThread(() => Take(pair.Server, 2 * Rounds * size));
        await OnThread(() =>
        {
            Play();
            long before = GC.GetAllocatedBytesForCurrentThread();
            Play();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(Kind == DataPlaneKind.SslStream || allocated < Rounds * 8, $"{allocated} bytes");
        }).WaitAsync(Patience);
        await reading.WaitAsync(Patience);

        void Play()
        {
            for (int i = 0; i < Rounds; i++)
            {
                pair.Client.Write(buffer, 0, size);
            }
        }
    }

    [Fact]
    public async Task Synchronous_and_asynchronous_writes_take_turns()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        for (int i = 1; i < 20; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(i * 20_000);
            Task writing = i % 2 == 0 ? Task.Run(() => pair.Client.Write(content, 0, content.Length)) : pair.Client.WriteAsync(content).AsTask();
            await Task.Delay(i % 3);
            Assert.Equal(content, await TakeAsync(pair.Server, content.Length).WaitAsync(Patience));
            await writing.WaitAsync(Patience);
        }

        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_write_that_blocks_is_the_only_one()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        byte[] content = RandomNumberGenerator.GetBytes(2_000_000);
        Task writing = OnThread(() => pair.Client.Write(content, 0, content.Length));
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);
        Assert.Throws<NotSupportedException>(() => pair.Client.Write(content, 0, 1));
        Assert.Equal(content, await TakeAsync(pair.Server, content.Length).WaitAsync(Patience));
        await writing.WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    /// <summary>It ends the write, and the peer is not told that the stream were whole.</summary>
    [Fact]
    public async Task Dispose_ends_a_write_that_blocks()
    {
        for (int i = 0; i < 10; i++)
        {
            await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
            Task writing = OnThread(() => pair.Client.Write(new byte[4_000_000], 0, 4_000_000));
            await Task.Delay(i * 5);
            await OnThread(pair.Client.Dispose).WaitAsync(Patience);
            Exception? e = await Record.ExceptionAsync(() => writing.WaitAsync(Patience));
            Assert.True(e is ObjectDisposedException or IOException, $"{e}");
        }
    }

    /// <summary>Time that is up ends a wait for room, and what is written later follows what was written before.</summary>
    [Fact]
    public async Task A_write_that_took_too_long_leaves_a_connection_behind()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        pair.Client.WriteTimeout = 100;
        byte[] content = RandomNumberGenerator.GetBytes(4_000_000);
        await OnThread(() =>
        {
            IOException e = Assert.Throws<IOException>(() => pair.Client.Write(content, 0, content.Length));
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
        }).WaitAsync(Patience);
        if (Kind == DataPlaneKind.SslStream)
        {
            return; // SslStream's own stream is broken by a cancellation.
        }

        await AssertGoesOnAsync(pair, content);
    }

    // A part of the content is out, in order, and what is written now follows it.
    private static async Task AssertGoesOnAsync(Pair pair, byte[] content)
    {
        pair.Client.WriteTimeout = 30_000;
        Task writing = OnThread(() =>
        {
            pair.Client.Write([1, 2, 3], 0, 3);
            Client(pair).ShutdownAsync().GetAwaiter().GetResult();
        });
        byte[] received = await ReadToEndAsync(pair.Server).WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        Assert.Equal([1, 2, 3], received[^3..]);
        Assert.Equal(content[..(received.Length - 3)], received[..^3]);
    }

    private static async Task<byte[]> ReadToEndAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    private static Task OnThread(Action action) => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static byte[] Take(Stream stream, int count)
    {
        byte[] received = new byte[count];
        for (int at = 0; at != count;)
        {
            int read = stream.Read(received, at, Math.Min(count - at, 100_000));
            Assert.NotEqual(0, read);
            at += read;
        }

        return received;
    }

    private static async Task<byte[]> TakeAsync(Stream stream, int count)
    {
        byte[] received = new byte[count];
        await stream.ReadExactlyAsync(received);
        return received;
    }
}
