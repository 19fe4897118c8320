using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace KTls.Contract.Tests;

/// <content>Files that a thread sends that waits itself.</content>
public abstract partial class KTlsContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(32 * 1024)] // for which there is never room at once
    public async Task A_thread_that_blocks_sends_a_part_of_a_file(int bufferSize)
    {
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        using SafeFileHandle file = TempFile(content);
        await using Pair pair = await ConnectAsync(bufferSize: bufferSize);
        Task sending = OnThread(() =>
        {
            Assert.Equal(2_500_001, Client(pair).SendFile(file, 1234, 2_500_001));
            Assert.Equal(1000, Client(pair).SendFile(file, content.Length - 1000, 5000));
            Assert.Equal(0, Client(pair).SendFile(file, content.Length + 1000, 5000));
            Assert.Equal(0, Client(pair).SendFile(file, 0, 0));
        });
        Assert.Equal(content[1234..2_501_235], await TakeAsync(pair.Server, 2_500_001).WaitAsync(Patience));
        Assert.Equal(content[^1000..], await TakeAsync(pair.Server, 1000).WaitAsync(Patience));
        await sending.WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    /// <summary>The peer reads nothing for longer than the thread waits at once: what TCP keeps back of an open record has to be pushed out.</summary>
    [Fact]
    public async Task A_file_waits_for_a_peer_that_pauses()
    {
        byte[] content = RandomNumberGenerator.GetBytes(400_000);
        using SafeFileHandle file = TempFile(content);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task sending = OnThread(() => Assert.Equal(content.Length, Client(pair).SendFile(file, 0, content.Length)));
        byte[] received = new byte[content.Length];
        for (int at = 0; at != received.Length;)
        {
            await Task.Delay(at % 5 == 0 ? 60 : 1);
            at += await pair.Server.ReadAsync(received.AsMemory(at, Math.Min(20_000, received.Length - at))).AsTask().WaitAsync(Patience);
        }

        Assert.Equal(content, received);
        await sending.WaitAsync(Patience);
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task Files_and_writes_of_both_kinds_take_turns()
    {
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        for (int i = 1; i < 20; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(i * 20_000);
            using SafeFileHandle file = TempFile(content);
            Task writing = (i % 4) switch
            {
                0 => OnThread(() => pair.Client.Write(content, 0, content.Length)),
                1 => OnThread(() => Client(pair).SendFile(file, 0, content.Length)),
                2 => pair.Client.WriteAsync(content).AsTask(),
                _ => Client(pair).SendFileAsync(file, 0, content.Length).AsTask(),
            };
            Assert.Equal(content, await TakeAsync(pair.Server, content.Length).WaitAsync(Patience));
            await writing.WaitAsync(Patience);
        }

        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task A_file_that_a_thread_sends_is_a_write()
    {
        byte[] content = RandomNumberGenerator.GetBytes(2_000_000);
        using SafeFileHandle file = TempFile(content);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task sending = OnThread(() => Client(pair).SendFile(file, 0, content.Length));
        await Task.Delay(100);
        Assert.False(sending.IsCompleted);
        Assert.Throws<NotSupportedException>(() => Client(pair).SendFile(file, 0, 1));
        Assert.Throws<NotSupportedException>(() => pair.Client.Write(content, 0, 1));
        Assert.Equal(content, await TakeAsync(pair.Server, content.Length).WaitAsync(Patience));
        await sending.WaitAsync(Patience);
        await ShutdownAsync(pair.Client);
        Assert.Throws<InvalidOperationException>(() => Client(pair).SendFile(file, 0, 1));
        pair.Client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Client(pair).SendFile(file, 0, 1));
    }

    [Fact]
    public async Task A_file_that_a_thread_cannot_send_harms_nothing()
    {
        await using Pair pair = await ConnectAsync();
        Assert.Throws<ArgumentNullException>(() => Client(pair).SendFile(null!, 0, 1));
        using SafeFileHandle file = TempFile(new byte[10]);
        Assert.Throws<ArgumentOutOfRangeException>(() => Client(pair).SendFile(file, -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Client(pair).SendFile(file, 0, -1));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Client(pair).SendFile(file, 0, 1));
        await AssertWorksAsync(pair);
    }

    [Fact]
    public async Task Dispose_ends_a_file_that_a_thread_sends()
    {
        using SafeFileHandle file = TempFile(new byte[4_000_000]);
        for (int i = 0; i < 10; i++)
        {
            await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
            Task sending = OnThread(() => Client(pair).SendFile(file, 0, 4_000_000));
            await Task.Delay(i * 5);
            await OnThread(pair.Client.Dispose).WaitAsync(Patience);
            Exception? e = await Record.ExceptionAsync(() => sending.WaitAsync(Patience));
            Assert.True(e is ObjectDisposedException or IOException, $"{e}");
        }
    }

    /// <summary>Time that is up ends a wait for room, and what is written later follows the part of the file that is out.</summary>
    [Fact]
    public async Task A_file_that_took_too_long_leaves_a_connection_behind()
    {
        byte[] content = RandomNumberGenerator.GetBytes(4_000_000);
        using SafeFileHandle file = TempFile(content);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        pair.Client.WriteTimeout = 100;
        await OnThread(() =>
        {
            IOException e = Assert.Throws<IOException>(() => Client(pair).SendFile(file, 0, content.Length));
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
        }).WaitAsync(Patience);
        if (Kind == DataPlaneKind.SslStream)
        {
            return; // SslStream's own stream is broken by a cancellation.
        }

        await AssertGoesOnAsync(pair, content);
    }

    /// <summary>Behind SslStream a thread waits for what is asynchronous.</summary>
    [Fact]
    public async Task A_file_that_a_thread_sends_allocates_nothing()
    {
        const int Rounds = 100;
        const int Size = 200_000;
        using SafeFileHandle file = TempFile(new byte[Size]);
        await using Pair pair = await ConnectAsync(bufferSize: 32 * 1024);
        Task reading = OnThread(() => Take(pair.Server, 2 * Rounds * Size));
        await OnThread(() =>
        {
            Play();
            long before = GC.GetAllocatedBytesForCurrentThread();
            Play();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(Kind != DataPlaneKind.Kernel || allocated < Rounds * 8, $"{allocated} bytes");
        }).WaitAsync(Patience);
        await reading.WaitAsync(Patience);

        void Play()
        {
            for (int i = 0; i < Rounds; i++)
            {
                Client(pair).SendFile(file, 0, Size);
            }
        }
    }
}
