using System.Diagnostics;

namespace KTls.Kernel.Tests;

// Who looks for events: the thread or the pool. Plain TCP: what is tested here needs no kernel TLS.
public class ReadinessThreadTests
{
    [Fact]
    public async Task What_happens_while_the_pool_stands_still_is_known_all_the_same()
    {
        KernelPair[] pairs = [.. Enumerable.Range(0, (2 * Environment.ProcessorCount) + 20).Select(_ => KernelPair.Plain())];
        KernelPair[] early = pairs[..^10];
        try
        {
            Task<int>[] receives = [.. pairs.Select(ReceiveAsync)];
            await AssertThreadLooksAsync();
            uint looks = ReadinessThread.Shared.Looks;
            using (BusyPool.Begin())
            {
                // One after the other, so that the thread meets the last ones with the first ones not begun.
                Send(early);
                Assert.DoesNotContain(receives, receive => receive.IsCompleted);
                Assert.True(ReadinessWaiter.Queued > Environment.ProcessorCount);

                // The pool does not come to look, but even so each event is known soon: a wait for it would not be cancelled any more.
                Send(pairs[^10..]);
                for (int i = 0; i < 500 && ReadinessWaiter.Queued < pairs.Length; i++)
                {
                    Thread.Sleep(10);
                }

                Assert.Equal(pairs.Length, ReadinessWaiter.Queued);
                Assert.Equal(looks, ReadinessThread.Shared.Looks);
            }

            Assert.All(await Task.WhenAll(receives).Soon(), received => Assert.Equal(1, received));
            await AssertThreadLooksAsync();
        }
        finally
        {
            Array.ForEach(pairs, pair => pair.Dispose());
        }

        static void Send(KernelPair[] pairs)
        {
            foreach (KernelPair pair in pairs)
            {
                pair.ClientSocket.Send("x"u8);
                Thread.Sleep(5);
            }
        }
    }

    // Each answer makes the next event, while the others are not begun.
    [Fact]
    public async Task A_pool_that_is_behind_looks_for_events_itself_and_nothing_is_lost()
    {
        const int Rounds = 300;
        KernelPair[] pairs = [.. Enumerable.Range(0, 16 * Environment.ProcessorCount).Select(_ => KernelPair.Plain())];
        try
        {
            uint looks = ReadinessThread.Shared.Looks;
            await Task.WhenAll(pairs.SelectMany(pair => (Task[])[PlayAsync(pair.Server, isFirst: true), PlayAsync(pair.Client, isFirst: false)])).Soon();
            Assert.InRange(ReadinessThread.Shared.Looks - looks, 3u, uint.MaxValue);
            await AssertThreadLooksAsync();
        }
        finally
        {
            Array.ForEach(pairs, pair => pair.Dispose());
        }

        static async Task PlayAsync(KernelSocket socket, bool isFirst)
        {
            await Task.Yield();
            byte[] one = new byte[1];
            for (int i = 0; i < Rounds; i++)
            {
                if (isFirst)
                {
                    one[0] = (byte)i;
                    await socket.SendAsync(one, CancellationToken.None);
                }

                Assert.Equal(1, await socket.ReceiveAsync(one, CancellationToken.None));
                Assert.Equal((byte)i, one[0]);
                if (!isFirst)
                {
                    await socket.SendAsync(one, CancellationToken.None);
                }
            }
        }
    }

    // Bursts, behind which the pool is behind, and then nothing for a moment, in which it has nothing else to do.
    [Fact]
    public async Task A_pool_with_nothing_else_to_do_stays_for_the_next_event_and_nothing_is_lost()
    {
        const int Bursts = 1000;
        KernelPair[] pairs = [.. Enumerable.Range(0, 8 * Environment.ProcessorCount).Select(_ => KernelPair.Plain())];
        try
        {
            uint stays = ReadinessThread.Shared.PaidStays;
            Task[] receivers = [.. pairs.Select(pair => CountAsync(pair.Server))];
            Thread sender = new(Send) { IsBackground = true };
            sender.Start();
            await Task.WhenAll(receivers).Soon();
            sender.Join();
            Assert.InRange(ReadinessThread.Shared.PaidStays - stays, 3u, uint.MaxValue);
            await AssertThreadLooksAsync();
        }
        finally
        {
            Array.ForEach(pairs, pair => pair.Dispose());
        }

        void Send()
        {
            for (int i = 0; i < Bursts; i++)
            {
                foreach (KernelPair pair in pairs)
                {
                    pair.ClientSocket.Send("x"u8);
                }

                long pause = Stopwatch.GetTimestamp();
                SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(pause) > TimeSpan.FromMicroseconds(300));
            }
        }

        static async Task CountAsync(KernelSocket socket)
        {
            byte[] one = new byte[1];
            for (int i = 0; i < Bursts; i++)
            {
                Assert.Equal(1, await socket.ReceiveAsync(one, CancellationToken.None));
            }
        }
    }

    private static Task<int> ReceiveAsync(KernelPair pair) => pair.Server.ReceiveAsync(new byte[8], CancellationToken.None).AsTask();

    private static async Task AssertThreadLooksAsync()
    {
        for (int i = 0; i < 500 && ReadinessThread.Shared.IsLeftToPool; i++)
        {
            await Task.Delay(10);
        }

        Assert.False(ReadinessThread.Shared.IsLeftToPool);
        using KernelPair pair = KernelPair.Plain();
        Task<int> receive = ReceiveAsync(pair);
        pair.ClientSocket.Send("x"u8);
        Assert.Equal(1, await receive.Soon());
    }
}
