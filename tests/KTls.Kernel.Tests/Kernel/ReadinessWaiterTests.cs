namespace KTls.Kernel.Tests;

public class ReadinessWaiterTests
{
    [Fact]
    public async Task A_signal_before_the_wait_is_kept()
    {
        ReadinessWaiter waiter = new();
        waiter.Signal();
        ValueTask wait = waiter.WaitAsync(CancellationToken.None);
        Assert.True(wait.IsCompletedSuccessfully);
        await wait;
    }

    [Fact]
    public async Task Two_signals_before_the_wait_count_once()
    {
        ReadinessWaiter waiter = new();
        waiter.Signal();
        waiter.Signal();
        await waiter.WaitAsync(CancellationToken.None);
        Task second = waiter.WaitAsync(CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        waiter.Signal();
        await second.Soon();
    }

    [Fact]
    public async Task The_continuation_runs_on_the_pool_not_on_the_signalling_thread()
    {
        ReadinessWaiter waiter = new();
        TaskCompletionSource<bool> onPool = new();
        async Task WaitAsync()
        {
            await waiter.WaitAsync(CancellationToken.None);
            onPool.SetResult(Thread.CurrentThread.IsThreadPoolThread);
        }

        Task wait = WaitAsync();
        Thread signaller = new(() => waiter.Signal());
        signaller.Start();
        Assert.True(await onPool.Task.Soon());
        await wait;
        signaller.Join();
    }

    [Fact]
    public async Task A_cancelled_wait_throws_with_its_token()
    {
        ReadinessWaiter waiter = new();
        using CancellationTokenSource cancel = new();
        Task wait = waiter.WaitAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.Soon());
        Assert.Equal(cancel.Token, exception.CancellationToken);
    }

    [Fact]
    public async Task A_token_cancelled_before_ends_the_wait_and_keeps_the_signal()
    {
        ReadinessWaiter waiter = new();
        waiter.Signal();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await waiter.WaitAsync(new CancellationToken(canceled: true)));
        Assert.True(waiter.WaitAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_signal_after_the_cancellation_is_kept_even_before_the_waiter_learns_of_it()
    {
        ReadinessWaiter waiter = new();
        using CancellationTokenSource cancel = new();
        ValueTask wait = waiter.WaitAsync(cancel.Token);
        await cancel.CancelAsync();
        waiter.Signal();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        Assert.True(waiter.WaitAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task The_token_of_an_earlier_wait_does_not_cancel_a_later_one()
    {
        ReadinessWaiter waiter = new();
        using CancellationTokenSource earlier = new();
        ValueTask first = waiter.WaitAsync(earlier.Token);
        waiter.Signal();
        await first;

        Task second = waiter.WaitAsync(CancellationToken.None).AsTask();
        await earlier.CancelAsync();
        await Task.Delay(20);
        Assert.False(second.IsCompleted);
        waiter.Signal();
        await second.Soon();
    }

    [Fact]
    public async Task Close_ends_the_wait_and_every_later_one()
    {
        ReadinessWaiter waiter = new();
        Task wait = waiter.WaitAsync(CancellationToken.None).AsTask();
        waiter.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.Soon());
        waiter.Signal();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await waiter.WaitAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_second_waiter_is_refused_and_does_not_harm_the_first()
    {
        ReadinessWaiter waiter = new();
        Task first = waiter.WaitAsync(CancellationToken.None).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await waiter.WaitAsync(CancellationToken.None));
        waiter.Signal();
        await first.Soon();
    }

    // The protocol of a socket in small: a producer adds work and signals; the consumer takes all there is and waits when
    // there is none. Cancellations strike at random. A lost signal would leave work behind and hang.
    [Fact]
    public async Task No_signal_is_lost_under_races_of_signal_wait_and_cancel()
    {
        const int Total = 200_000;
        ReadinessWaiter waiter = new();
        int produced = 0;
        int consumed = 0;
        int cancelled = 0;
        Thread producer = new(() =>
        {
            Random random = new(7);
            for (int i = 0; i < Total; i++)
            {
                Interlocked.Increment(ref produced);
                waiter.Signal();
                if (random.Next(64) == 0)
                {
                    Thread.Yield();
                }
            }
        });

        async Task ConsumeAsync()
        {
            Random random = new(8);
            while (consumed < Total)
            {
                int available = Volatile.Read(ref produced);
                if (available > consumed)
                {
                    consumed = available;
                    continue;
                }

                CancellationTokenSource cancel = new(); // not disposed of: the pool may cancel it much later
                if (random.Next(4) == 0)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), cancel, preferLocal: false);
                }

                try
                {
                    await waiter.WaitAsync(cancel.Token);
                }
                catch (OperationCanceledException)
                {
                    cancelled++;
                }
            }
        }

        Task consumer = Task.Run(ConsumeAsync);
        producer.Start();
        await consumer.Soon();
        producer.Join();
        Assert.Equal(Total, consumed);
        TestContext.Current.SendDiagnosticMessage("{0} waits cancelled", cancelled);
    }
}
