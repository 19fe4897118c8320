using System.Runtime.CompilerServices;

namespace KTls.Kernel.Tests;

public class BriefWaitTests
{
    private readonly WaitingSeat _seat = new(moments: 1, () => true, new StrongBox<int>());

    [Fact]
    public void One_thread_stays_at_a_time()
    {
        BriefWait first = default;
        BriefWait second = default;
        Assert.True(first.TryBegin(_seat));
        Assert.False(second.TryBegin(_seat));
        first.End(_seat, cameTrue: true);
        Assert.True(second.TryBegin(_seat));
    }

    [Fact]
    public void Where_nothing_came_the_pauses_double_up_to_a_thousand_waits_and_where_it_came_they_halve()
    {
        BriefWait wait = default;
        int[] pauses = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024];
        foreach (int pause in pauses)
        {
            StayOnce(cameTrue: false);
            Assert.Equal(pause, Pause());
        }

        foreach (int pause in pauses.Reverse().Skip(2))
        {
            StayOnce(cameTrue: true);
            Assert.Equal(pause, Pause());
        }

        StayOnce(cameTrue: true);
        Assert.Equal(0, Pause());

        void StayOnce(bool cameTrue)
        {
            Assert.True(wait.TryBegin(_seat));
            wait.End(_seat, cameTrue);
        }

        // How many waits are refused from now on.
        int Pause()
        {
            int pause = 0;
            for (BriefWait ahead = wait; !ahead.TryBegin(_seat); pause++)
            {
                wait = ahead;
            }

            _seat.Leave(_seat.LastPause);
            return pause;
        }
    }

    [Fact]
    public void A_new_socket_begins_with_what_the_last_one_has_learnt()
    {
        BriefWait first = default;
        Assert.True(first.TryBegin(_seat));
        first.End(_seat, cameTrue: false);
        BriefWait second = default;
        Assert.False(second.TryBegin(_seat));
        Assert.True(second.TryBegin(_seat));
        second.End(_seat, cameTrue: true);
        Assert.True(default(BriefWait).TryBegin(_seat));
    }

    [Fact]
    public void A_thread_that_has_something_else_to_do_does_not_stay()
    {
        bool mayStay = false;
        BriefWait wait = default;
        WaitingSeat seat = new(moments: 1, () => mayStay, new StrongBox<int>());
        Assert.False(wait.TryBegin(seat));
        mayStay = true;
        Assert.True(wait.TryBegin(seat));
    }

    // The seat of the process can only be tried where it refuses: whether its pool is idle is not a test's to say.
    [Fact]
    public void A_thread_of_the_caller_never_stays()
    {
        bool stays = true;
        Thread thread = new(() => stays = WaitingSeat.ForRoom.TryTake());
        thread.Start();
        thread.Join();
        Assert.False(stays);
    }

    [Fact]
    public async Task Nobody_stays_while_the_pool_has_work_to_do()
    {
        bool stays = await Task.Run(() =>
        {
            // More work than threads to do it, until the seat was asked for.
            using ManualResetEventSlim asked = new();
            Task[] work = [.. Enumerable.Range(0, ThreadPool.ThreadCount + 100).Select(_ => Task.Run(asked.Wait))];
            bool taken = WaitingSeat.ForRoom.TryTake();
            if (taken)
            {
                WaitingSeat.ForRoom.Leave(pause: 0);
            }

            asked.Set();
            Task.WaitAll(work);
            return taken;
        });
        Assert.False(stays);
    }
}
