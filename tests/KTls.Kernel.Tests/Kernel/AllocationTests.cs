using System.Net.Sockets;

namespace KTls.Kernel.Tests;

// A few bytes of the runtime's own (timers, pool threads) are in the totals; one object an operation would be far more.
// Where the JIT does not optimise, every await boxes its awaiter, whatever is awaited. That happens in User-mode Linux, which
// maps code below 4 GiB, where .NET 10's JIT gives up optimising methods with calls. What that costs is measured and allowed.
public class AllocationTests
{
    private const int Warmup = 500;
    private const int Rounds = 2000;
    private const int Tolerance = Rounds * 4;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Operations_that_need_not_wait_allocate_nothing(bool blocks)
    {
        using KernelPair pair = KernelPair.Secure();
        pair.Server.ReceiveBlocksUntil = blocks ? KernelSocket.WithoutEnd : 0;
        using TempFile file = new(new byte[1000]);
        byte[] data = new byte[1000];
        byte[] buffer = new byte[2000];
        using CancellationTokenSource source = new();

        // Even to the same machine a packet may take a moment, under load.
        void Arrive() => Check(pair.ServerSocket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead));

        void Round()
        {
            Complete(pair.Client.SendAsync(data, source.Token));
            Arrive();
            Check(Complete(pair.Server.ReceiveRecordAsync(buffer, source.Token)).Length == 1000);
            Complete(pair.Client.SendControlAsync(22, data, source.Token));
            Arrive();
            Check(Complete(pair.Server.ReceiveRecordAsync(buffer, source.Token)).ContentType == 22);
            Check(Complete(pair.Client.SendFileAsync(file.Handle, 0, 1000, source.Token)) == 1000);
            Arrive();
            Check(pair.Server.TryReceiveRecord(buffer, out ReceivedRecord record) && record.Length == 1000);
            Check(!pair.Server.TryReceiveRecord(buffer, out _));
            Complete(pair.Client.FlushAsync(source.Token));
        }

        for (int i = 0; i < Warmup; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
        {
            Round();
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Tolerance);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Receives_that_wait_allocate_nothing(bool cancellable) => OnThePool(async () =>
    {
        using KernelPair pair = KernelPair.Secure();
        using CancellationTokenSource source = new();
        CancellationToken token = cancellable ? source.Token : CancellationToken.None;

        static async Task EchoAsync(KernelSocket socket, int rounds, CancellationToken token)
        {
            byte[] buffer = new byte[100];
            for (int i = 0; i < rounds; i++)
            {
                ReceivedRecord record = await socket.ReceiveRecordAsync(buffer, token);
                await socket.SendAsync(buffer.AsMemory(0, record.Length), token);
            }
        }

        static async Task PlayAsync(KernelSocket socket, int rounds, byte[] buffer, CancellationToken token)
        {
            for (int i = 0; i < rounds; i++)
            {
                await socket.SendAsync(buffer, token);
                await socket.ReceiveRecordAsync(buffer, token);
            }
        }

        Task echo = EchoAsync(pair.Server, Warmup + Rounds, token);
        byte[] message = new byte[100];
        await PlayAsync(pair.Client, Warmup, message, token);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await PlayAsync(pair.Client, Rounds, message, token);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        await echo.Soon();
        Assert.InRange(allocated, 0, Tolerance + (2 * Rounds * await BareAwait.CostAsync()));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Sends_and_files_that_wait_allocate_nothing(bool asFile) => OnThePool(async () =>
    {
        using KernelPair pair = KernelPair.Secure(bufferSize: 8192);
        using CancellationTokenSource source = new();
        byte[] block = new byte[200_000];
        using TempFile file = new(block);
        const int Blocks = 100;
        int waited = 0;
        long begun = 0;
        long received = 0;

        // Takes of each block only after its send has found no room, and all of it before the next one: so every send has to wait.
        void Drain()
        {
            byte[] buffer = new byte[4096];
            while (received != (long)block.Length * Blocks * 2)
            {
                if (received == Volatile.Read(ref begun))
                {
                    Thread.Yield();
                }
                else if (pair.ServerSocket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead) && pair.Server.TryReceiveRecord(buffer, out ReceivedRecord record))
                {
                    Volatile.Write(ref received, received + record.Length);
                }
            }
        }

        async Task SendAsync(int blocks)
        {
            for (int i = 0; i < blocks; i++)
            {
                while (Volatile.Read(ref received) != begun)
                {
                    Thread.Yield();
                }

                if (asFile)
                {
                    ValueTask<long> send = pair.Client.SendFileAsync(file.Handle, 0, block.Length, source.Token);
                    waited += send.IsCompleted ? 0 : 1;
                    Volatile.Write(ref begun, begun + block.Length);
                    await send;
                }
                else
                {
                    ValueTask send = pair.Client.SendAsync(block, source.Token);
                    waited += send.IsCompleted ? 0 : 1;
                    Volatile.Write(ref begun, begun + block.Length);
                    await send;
                }
            }
        }

        Task drain = Task.Factory.StartNew(Drain, TaskCreationOptions.LongRunning);
        await SendAsync(Blocks);
        waited = 0;
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await SendAsync(Blocks);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        await drain.Soon();
        Assert.Equal(Blocks, waited);

        // The sender waits several times a block.
        Assert.InRange(allocated, 0, Tolerance + (20 * Blocks * await BareAwait.CostAsync()));
    });

    // Away from the test runner's synchronization context, which allocates whenever a test continues.
    private static Task OnThePool(Func<Task> test) => Task.Run(test);

    // xunit's own assertions allocate.
    private static void Check(bool condition)
    {
        if (!condition)
        {
            Assert.Fail("An operation did not do what it should.");
        }
    }

    private static void Complete(ValueTask task)
    {
        Check(task.IsCompleted);
        task.GetAwaiter().GetResult();
    }

    private static T Complete<T>(ValueTask<T> task)
    {
        Check(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }
}
