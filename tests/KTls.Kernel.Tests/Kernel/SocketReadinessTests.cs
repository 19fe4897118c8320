using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KTls.Kernel.Tests;

// Plain TCP: what is tested here needs no kernel TLS.
public partial class SocketReadinessTests
{
    [Fact]
    public async Task A_receive_waits_for_data_and_sees_the_end()
    {
        using KernelPair pair = KernelPair.Plain();
        byte[] buffer = new byte[16];
        Task<int> receive = pair.Server.ReceiveAsync(buffer, CancellationToken.None).AsTask();
        await Task.Delay(20);
        Assert.False(receive.IsCompleted);
        await pair.Client.SendAsync("hello"u8.ToArray(), CancellationToken.None);
        Assert.Equal(5, await receive.Soon());
        receive = pair.Server.ReceiveAsync(buffer, CancellationToken.None).AsTask();
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await receive.Soon());
    }

    [Fact]
    public async Task Records_of_a_socket_without_keys_are_plain_data()
    {
        using KernelPair pair = KernelPair.Plain();
        await pair.Client.SendAsync("hello"u8.ToArray(), CancellationToken.None);
        byte[] buffer = new byte[16];
        Assert.Equal(new ReceivedRecord(23, 5, false), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        Assert.Equal(new ReceivedRecord(0, 0, true), await pair.Server.ReceiveRecordAsync(buffer, CancellationToken.None).Soon());
    }

    [Fact]
    public async Task TryReceiveRecord_tells_nothing_from_the_end()
    {
        using KernelPair pair = KernelPair.Plain();
        byte[] buffer = new byte[16];
        Assert.False(pair.Server.TryReceiveRecord(buffer, out _));
        pair.ClientSocket.Shutdown(SocketShutdown.Send);
        await pair.Server.WaitReadableAsync(CancellationToken.None).Soon();
        Assert.True(pair.Server.TryReceiveRecord(buffer, out ReceivedRecord record));
        Assert.True(record.EndOfStream);
    }

    [Fact]
    public async Task WaitReadable_takes_nothing()
    {
        using KernelPair pair = KernelPair.Plain();
        Assert.False(pair.Server.IsReadable);
        Task wait = pair.Server.WaitReadableAsync(CancellationToken.None).AsTask();
        await Task.Delay(20);
        Assert.False(wait.IsCompleted);
        await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        await wait.Soon();
        Assert.True(pair.Server.IsReadable);
        Assert.Equal(1, await pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).Soon());
    }

    [Fact]
    public async Task An_empty_buffer_is_refused_because_0_would_mean_the_end()
    {
        using KernelPair pair = KernelPair.Plain();
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Server.ReceiveAsync(Memory<byte>.Empty, default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Server.ReceiveRecordAsync(Memory<byte>.Empty, default));
    }

    [Fact]
    public async Task Both_directions_wait_at_once_and_nothing_is_lost()
    {
        using KernelPair pair = KernelPair.Plain(bufferSize: 8192);
        byte[] up = Transfer.Bytes(3_000_000, seed: 1);
        byte[] down = Transfer.Bytes(3_000_000, seed: 2);
        Task<byte[]> atServer = Transfer.ReceiveAsync(pair.Server, up.Length);
        Task<byte[]> atClient = Transfer.ReceiveAsync(pair.Client, down.Length);
        Task sendUp = pair.Client.SendAsync(up, CancellationToken.None).AsTask();
        Task sendDown = pair.Server.SendAsync(down, CancellationToken.None).AsTask();
        await Task.WhenAll(sendUp, sendDown).Soon();
        Assert.Equal(up, await atServer.Soon());
        Assert.Equal(down, await atClient.Soon());
    }

    [Fact]
    public async Task Ping_pong_never_hangs()
    {
        using KernelPair pair = KernelPair.Plain();
        static async Task EchoAsync(KernelSocket socket, int rounds)
        {
            byte[] buffer = new byte[1];
            for (int i = 0; i < rounds; i++)
            {
                Assert.Equal(1, await socket.ReceiveAsync(buffer, CancellationToken.None));
                await socket.SendAsync(buffer, CancellationToken.None);
            }
        }

        const int Rounds = 4000;
        Task server = EchoAsync(pair.Server, Rounds);
        byte[] one = new byte[1];
        for (int i = 0; i < Rounds; i++)
        {
            one[0] = (byte)i;
            await pair.Client.SendAsync(one, CancellationToken.None);
            Assert.Equal(1, await pair.Client.ReceiveAsync(one, CancellationToken.None).Soon());
            Assert.Equal((byte)i, one[0]);
        }

        await server.Soon();
    }

    [Fact]
    public async Task A_cancelled_receive_loses_no_data()
    {
        using KernelPair pair = KernelPair.Plain();
        byte[] buffer = new byte[16];
        for (int i = 0; i < 200; i++)
        {
            using CancellationTokenSource cancel = new();
            ValueTask<int> receive = pair.Server.ReceiveAsync(buffer, cancel.Token);
            await cancel.CancelAsync();
            await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
            int received = 0;
            try
            {
                received = await receive.Soon();
            }
            catch (OperationCanceledException)
            {
                received = await pair.Server.ReceiveAsync(buffer, CancellationToken.None).Soon();
            }

            Assert.Equal(1, received);
        }
    }

    [Fact]
    public async Task Dispose_ends_both_waits()
    {
        using KernelPair pair = KernelPair.Plain(bufferSize: 8192);
        Task<int> receive = pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask();
        Task send = pair.Server.SendAsync(new byte[4_000_000], CancellationToken.None).AsTask();
        await Task.Delay(50);
        Assert.False(receive.IsCompleted);
        Assert.False(send.IsCompleted);
        pair.Server.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => send.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await pair.Server.ReceiveAsync(new byte[8], CancellationToken.None));
        Assert.False(pair.ServerSocket.SafeHandle.IsClosed);
    }

    [Fact]
    public async Task The_owner_can_close_while_a_wait_is_under_way()
    {
        // Socket.Dispose spins for as long as anybody holds the handle: a wait must not.
        using KernelPair pair = KernelPair.Plain();
        Task<int> receive = pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask();
        await Task.Run(pair.ServerSocket.Dispose).Soon();
        pair.Server.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.Soon());
    }

    [Fact]
    public async Task A_reused_descriptor_gets_no_event_of_the_old_one_and_loses_none_of_its_own()
    {
        int registered = ReadinessThread.Shared.Count;
        byte[] buffer = new byte[8];
        for (int i = 0; i < 300; i++)
        {
            KernelPair old = KernelPair.Plain();
            Task<int> receive = old.Server.ReceiveAsync(buffer, CancellationToken.None).AsTask();
            int number = (int)old.ServerSocket.SafeHandle.DangerousGetHandle();

            // The wrong order on purpose: the descriptor is closed, and its number used again, before the KernelSocket goes.
            old.ServerSocket.Dispose();
            using KernelPair fresh = KernelPair.Plain();
            byte[] freshBuffer = new byte[8];
            Task<int> atClient = fresh.Client.ReceiveAsync(freshBuffer, CancellationToken.None).AsTask();
            Task<int> atServer = fresh.Server.ReceiveAsync(freshBuffer, CancellationToken.None).AsTask();
            Assert.True(
                (int)fresh.ClientSocket.SafeHandle.DangerousGetHandle() == number
                || (int)fresh.ServerSocket.SafeHandle.DangerousGetHandle() == number
                || i > 0);
            old.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.Soon());

            await fresh.Client.SendAsync("a"u8.ToArray(), CancellationToken.None);
            await fresh.Server.SendAsync("b"u8.ToArray(), CancellationToken.None);
            Assert.Equal(1, await atServer.Soon());
            Assert.Equal(1, await atClient.Soon());
        }

        Assert.Equal(registered, ReadinessThread.Shared.Count);
    }

    [Fact]
    public async Task Data_that_nobody_waits_for_wakes_the_thread_twice_and_the_next_wait_is_told_again()
    {
        using TcpPair tcp = TcpPair.Connect();
        SocketReadiness readiness = new(tcp.Server.SafeHandle);
        for (int round = 0; round < 3; round++)
        {
            Task data = ReceiveAsync(tcp.Server, readiness);
            await Task.Delay(20);
            Assert.False(data.IsCompleted);
            Assert.True(IsWatchedFor(tcp.Server, EpollEvents.Readable));
            tcp.Client.Send("x"u8);
            await data.Soon();
            for (int i = 0; i < 500 && IsWatchedFor(tcp.Server, EpollEvents.Readable); i++)
            {
                tcp.Client.Send("x"u8);
                await Task.Delay(10);
            }

            Assert.False(IsWatchedFor(tcp.Server, EpollEvents.Readable));
            await ReceiveAsync(tcp.Server, readiness).Soon();
        }

        readiness.Close();
    }

    // Else each change of the registration would tell of the room that there nearly always is.
    [Fact]
    public async Task Room_is_no_longer_watched_for_when_nobody_waits_for_it()
    {
        using TcpPair tcp = TcpPair.Connect(bufferSize: 8192);
        SocketReadiness readiness = new(tcp.Server.SafeHandle);
        tcp.Server.Blocking = false;
        for (int round = 0; round < 3; round++)
        {
            await WaitForRoomAsync();
            Assert.True(IsWatchedFor(tcp.Server, EpollEvents.Writable));
            Task data = ReceiveAsync(tcp.Server, readiness);
            tcp.Client.Send("x"u8);
            await data.Soon();
            for (int i = 0; i < 500 && IsWatchedFor(tcp.Server, EpollEvents.Writable); i++)
            {
                tcp.Client.Send("x"u8);
                await Task.Delay(10);
            }

            Assert.False(IsWatchedFor(tcp.Server, EpollEvents.Writable));
            Assert.False(IsWatchedFor(tcp.Server, EpollEvents.Readable));
        }

        readiness.Close();

        async Task WaitForRoomAsync()
        {
            Task wait;
            do
            {
                // What is under way to the peer may still make room.
                Fill();
                wait = TryAsync();
                await Task.Delay(20);
            }
            while (wait.IsCompletedSuccessfully);
            byte[] drained = new byte[100_000];
            while (!wait.IsCompleted)
            {
                _ = tcp.Client.Poll(10_000, SelectMode.SelectRead) ? tcp.Client.Receive(drained) : 0;
            }

            await wait;
        }

        async Task TryAsync()
        {
            do
            {
                await readiness.WaitWritableAsync(CancellationToken.None);
            }
            while (!tcp.Server.Poll(0, SelectMode.SelectWrite));
        }

        void Fill()
        {
            do
            {
                _ = tcp.Server.Send(new byte[4096], SocketFlags.None, out SocketError error);
                if (error == SocketError.WouldBlock)
                {
                    Thread.Sleep(20);
                }
            }
            while (tcp.Server.Poll(0, SelectMode.SelectWrite));
        }
    }

    // Each byte comes when nobody waits, or just when somebody begins to.
    [Fact]
    public async Task No_wait_is_lost_between_data_that_nobody_waits_for()
    {
        using TcpPair tcp = TcpPair.Connect();
        SocketReadiness readiness = new(tcp.Server.SafeHandle);
        tcp.Server.Blocking = false;
        const int Bytes = 200_000;
        Task sending = Task.Run(() =>
        {
            Random random = new(1);
            for (int i = 0; i < Bytes; i++)
            {
                tcp.Client.Send("x"u8);
                Thread.SpinWait(random.Next(300));
            }
        });

        byte[] buffer = new byte[16];
        for (int received = 0; received < Bytes;)
        {
            int length = tcp.Server.Receive(buffer, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                await readiness.WaitReadableAsync(CancellationToken.None).AsTask().Soon();
                continue;
            }

            Assert.Equal(SocketError.Success, error);
            received += length;
        }

        await sending.Soon();
        readiness.Close();
    }

    // A duplicate keeps the closed socket's registration alive in the kernel, where nobody can delete it any more.
    [Fact]
    public async Task An_event_of_a_duplicate_left_behind_reaches_nobody()
    {
        using TcpPair old = TcpPair.Connect();
        SocketReadiness abandoned = new(old.Server.SafeHandle);
        Task oldWait = abandoned.WaitWritableAsync(CancellationToken.None).AsTask();
        await oldWait.Soon(); // registered, and writable from the start
        using SafeSocketHandle duplicate = new(dup((int)old.Server.SafeHandle.DangerousGetHandle()), ownsHandle: true);
        old.Server.Dispose();
        abandoned.Close();

        // The next registration takes the slot that has become free.
        using TcpPair fresh = TcpPair.Connect();
        SocketReadiness successor = new(fresh.Server.SafeHandle);
        Task wait = successor.WaitReadableAsync(CancellationToken.None).AsTask();
        Assert.Equal((uint)abandoned.Token, (uint)successor.Token);
        Assert.NotEqual(abandoned.Token, successor.Token);
        old.Client.Send("late"u8);
        await Task.Delay(100);
        Assert.False(wait.IsCompleted);
        fresh.Client.Send("x"u8);
        await wait.Soon();
        successor.Close();
    }

    [Fact]
    public async Task Ten_thousand_connections_one_after_the_other_leave_nothing()
    {
        byte[] buffer = new byte[8];
        await OneConnectionAsync(buffer);
        int descriptors = Descriptors.Count();
        int registered = ReadinessThread.Shared.Count;
        for (int i = 0; i < 10_000; i++)
        {
            await OneConnectionAsync(buffer);
        }

        Assert.Equal(registered, ReadinessThread.Shared.Count);
        Assert.Equal(descriptors, Descriptors.Count());
    }

    [Fact]
    public async Task Five_hundred_connections_at_once_leave_nothing()
    {
        await OneConnectionAsync(new byte[8]); // the first one of all opens what the process keeps
        int descriptors = Descriptors.Count();
        int registered = ReadinessThread.Shared.Count;
        KernelPair[] pairs = [.. Enumerable.Range(0, 500).Select(_ => KernelPair.Plain())];
        Task<int>[] receives = [.. pairs.Select(pair => pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask())];
        Assert.Equal(registered + 500, ReadinessThread.Shared.Count);
        foreach (KernelPair pair in pairs)
        {
            await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        }

        Assert.All(await Task.WhenAll(receives).Soon(), received => Assert.Equal(1, received));
        foreach (KernelPair pair in pairs)
        {
            pair.Dispose();
        }

        Assert.Equal(registered, ReadinessThread.Shared.Count);
        Assert.Equal(descriptors, Descriptors.Count());
    }

    [Fact]
    public async Task A_socket_that_nobody_disposed_of_frees_its_slot()
    {
        int registered = ReadinessThread.Shared.Count;
        using TcpPair tcp = TcpPair.Connect();
        await AbandonAsync(tcp);
        for (int i = 0; i < 50 && ReadinessThread.Shared.Count != registered; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(10);
        }

        Assert.Equal(registered, ReadinessThread.Shared.Count);

        static async Task AbandonAsync(TcpPair tcp)
        {
            KernelSocket socket = new(tcp.Server.SafeHandle);
            ValueTask<int> receive = socket.ReceiveAsync(new byte[8], CancellationToken.None);
            tcp.Client.Send("x"u8);
            Assert.Equal(1, await receive.Soon());
        }
    }

    private static async Task OneConnectionAsync(byte[] buffer)
    {
        using KernelPair pair = KernelPair.Plain();
        ValueTask<int> receive = pair.Server.ReceiveAsync(buffer, CancellationToken.None);
        await pair.Client.SendAsync("x"u8.ToArray(), CancellationToken.None);
        Assert.Equal(1, await receive);
    }

    // As KernelSocket does: what a wait says may be old, so each is followed by a try.
    private static async Task ReceiveAsync(Socket socket, SocketReadiness readiness)
    {
        do
        {
            await readiness.WaitReadableAsync(CancellationToken.None);
        }
        while (!socket.Poll(0, SelectMode.SelectRead));
        _ = socket.Receive(new byte[1000]);
    }

    // What the kernel says of the epoll instances of this process: "tfd: NUMBER events: MASK ...".
    private static bool IsWatchedFor(Socket socket, EpollEvents events)
    {
        string target = $"tfd: {(int)socket.SafeHandle.DangerousGetHandle()} ";
        foreach (string descriptor in Directory.GetFiles("/proc/self/fdinfo"))
        {
            foreach (string line in ReadLines(descriptor))
            {
                string entry = string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                if (entry.StartsWith(target, StringComparison.Ordinal))
                {
                    return (Convert.ToUInt32(entry.Split(' ')[3], 16) & (uint)events) != 0;
                }
            }
        }

        throw new InvalidOperationException("The socket is not registered.");

        static string[] ReadLines(string path)
        {
            try
            {
                return File.ReadAllLines(path);
            }
            catch (IOException)
            {
                return []; // closed since
            }
        }
    }

    [LibraryImport("libc")]
    private static partial int dup(int descriptor);
}
