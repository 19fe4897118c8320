using System.Diagnostics;
using KTls.Authentication;

namespace KTls.Tests.Authentication;

/// <summary>Handshakes that share a timer: each has its whole time, and none suffers for another.</summary>
public sealed class DeadlineTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void Who_begins_at_the_same_time_ends_at_the_same_time()
    {
        var deadlines = new Deadlines();
        using Deadlines.Deadline one = deadlines.Join(Long);
        using Deadlines.Deadline other = deadlines.Join(Long);
        using Deadlines.Deadline longer = deadlines.Join(2 * Long);
        Assert.Same(one, other);
        Assert.NotSame(one, longer);
        Assert.Equal(2 * Long, longer.Time);
    }

    [Fact]
    public async Task Time_is_never_up_early()
    {
        var deadlines = new Deadlines();
        var time = TimeSpan.FromMilliseconds(1600);
        var ends = new List<Task>();

        // In the first one's sixteenth, which is longer than what a clock may be wrong, and after it.
        for (int i = 0; i < 15; i++)
        {
            ends.Add(EndAsync());
            await Task.Delay(10);
        }

        await Task.WhenAll(ends);

        async Task EndAsync()
        {
            long start = Stopwatch.GetTimestamp();
            using Deadlines.Deadline deadline = deadlines.Join(time);
            await Task.Delay(Patience, deadline.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.True(deadline.Token.IsCancellationRequested);

            // Timers count in the ticks of a coarse clock.
            Assert.True(Stopwatch.GetElapsedTime(start) > time - TimeSpan.FromMilliseconds(20), $"after {Stopwatch.GetElapsedTime(start)}");
        }
    }

    /// <summary>After a sixteenth of the time, or two seconds.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(24 * 24 * 60 * 60)]
    public async Task Who_comes_later_has_a_later_end(int seconds)
    {
        var deadlines = new Deadlines();
        using Deadlines.Deadline first = deadlines.Join(TimeSpan.FromSeconds(seconds));
        for (Stopwatch watch = Stopwatch.StartNew(); ; await Task.Delay(10))
        {
            using Deadlines.Deadline next = deadlines.Join(first.Time);
            if (next != first)
            {
                Assert.False(first.Token.IsCancellationRequested);
                return;
            }

            Assert.True(watch.Elapsed < Patience);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)] // when nobody may join any more
    public async Task Nothing_is_cancelled_when_all_are_over(int milliseconds)
    {
        Deadlines.Deadline deadline = new Deadlines().Join(TimeSpan.FromMilliseconds(320));
        await Task.Delay(milliseconds);
        deadline.Dispose();
        await Task.Delay(600);
        Assert.False(deadline.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task One_that_is_over_takes_no_time_from_another()
    {
        var deadlines = new Deadlines();
        var time = TimeSpan.FromMilliseconds(160);
        using Deadlines.Deadline stays = deadlines.Join(time);
        deadlines.Join(time).Dispose();
        await Task.Delay(Patience, stays.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True(stays.Token.IsCancellationRequested);
    }

    [Fact]
    public void The_context_of_the_first_is_not_kept()
    {
        var deadlines = new Deadlines();
        (WeakReference context, Deadlines.Deadline deadline) = Join();
        using (deadline)
        {
            for (int i = 0; i < 10 && context.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.False(context.IsAlive);
        }

        // On a thread of its own, which keeps nothing either.
        (WeakReference, Deadlines.Deadline) Join()
        {
            (WeakReference, Deadlines.Deadline) result = default;
            var thread = new Thread(() =>
            {
                var local = new AsyncLocal<object> { Value = new object() };
                result = (new WeakReference(local.Value), deadlines.Join(Long));
            });
            thread.Start();
            thread.Join();
            return result;
        }
    }

    /// <summary>Who suppresses the flow of its context, as servers do around their loops, can begin a handshake.</summary>
    [Fact]
    public void The_flow_of_the_context_stays_as_it_is()
    {
        using (ExecutionContext.SuppressFlow())
        {
            using Deadlines.Deadline deadline = new Deadlines().Join(Long);
            Assert.True(ExecutionContext.IsFlowSuppressed());
        }

        using Deadlines.Deadline other = new Deadlines().Join(Long);
        Assert.False(ExecutionContext.IsFlowSuppressed());
    }

    [Fact]
    public void A_caller_ends_its_own_handshake_only()
    {
        var deadlines = new Deadlines();
        using var caller = new CancellationTokenSource();
        using var mine = new HandshakeTime(deadlines, Long, caller.Token);
        using var others = new HandshakeTime(deadlines, Long, CancellationToken.None);
        caller.Cancel();
        Assert.True(mine.Token.IsCancellationRequested);
        Assert.True(mine.TokenToKeep.IsCancellationRequested);
        Assert.False(mine.IsUp);
        Assert.False(others.Token.IsCancellationRequested);
        Assert.False(others.TokenToKeep.IsCancellationRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_users_code_keeps_is_not_cancelled_by_time_after_the_handshake(bool hasCaller)
    {
        using var caller = new CancellationTokenSource();
        CancellationToken token = hasCaller ? caller.Token : CancellationToken.None;
        var deadlines = new Deadlines();
        var time = TimeSpan.FromMilliseconds(160);
        var over = new HandshakeTime(deadlines, time, token);
        using var goesOn = new HandshakeTime(deadlines, time, token);
        CancellationToken kept = over.TokenToKeep;
        CancellationToken ended = goesOn.TokenToKeep;
        over.Dispose();
        await Task.Delay(Patience, ended).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True(goesOn.IsUp);
        Assert.True(ended.IsCancellationRequested);
        Assert.False(kept.IsCancellationRequested);
    }

    /// <summary>The user's code, and all that runs on from it, may block, and others' handshakes end all the same.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_blocks_when_time_is_up_blocks_itself_only(bool hasCaller)
    {
        using var caller = new CancellationTokenSource();
        var deadlines = new Deadlines();
        var time = TimeSpan.FromMilliseconds(160);
        using var other = new HandshakeTime(deadlines, time, CancellationToken.None);
        using var isBlocked = new ManualResetEventSlim();
        using var letGo = new ManualResetEventSlim();
        var others = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // What was registered last is called first.
        using CancellationTokenRegistration ours = other.Token.Register(others.SetResult);
        using var one = new HandshakeTime(deadlines, time, hasCaller ? caller.Token : CancellationToken.None);
        using CancellationTokenRegistration users = one.TokenToKeep.Register(() =>
        {
            isBlocked.Set();
            letGo.Wait(Patience);
        });
        try
        {
            await others.Task.WaitAsync(Patience / 2);
            Assert.True(one.TokenToKeep.IsCancellationRequested);
            Assert.True(isBlocked.Wait(Patience));
        }
        finally
        {
            letGo.Set();
        }
    }

    [Fact]
    public void A_handshake_is_over_once()
    {
        var deadlines = new Deadlines();
        using Deadlines.Deadline deadline = deadlines.Join(Long);
        var over = new HandshakeTime(deadlines, Long, CancellationToken.None);
        over.Dispose();
        over.Dispose();
        Assert.Equal(1, deadline.Handshakes);
    }

    [Fact]
    public void Without_an_end_nothing_is_cancelled()
    {
        using var time = new HandshakeTime(new Deadlines(), Timeout.InfiniteTimeSpan, CancellationToken.None);
        Assert.False(time.Token.CanBeCanceled);
        Assert.False(time.TokenToKeep.CanBeCanceled);
        Assert.False(time.IsUp);
    }
}
