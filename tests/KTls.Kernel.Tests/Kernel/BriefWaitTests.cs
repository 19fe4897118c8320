namespace KTls.Kernel.Tests;

public class BriefWaitTests
{
    private readonly WaitingSeat _seat = new(() => true);

    [Fact]
    public void One_thread_stays_at_a_time()
    {
        BriefWait first = new(_seat);
        BriefWait second = new(_seat);
        Assert.Equal(BriefWait.Moment, first.Begin());
        Assert.Equal(0, second.Begin());
        first.End(cameTrue: true);
        Assert.Equal(BriefWait.Moment, second.Begin());
    }

    [Fact]
    public void Where_no_room_came_the_pauses_grow_to_a_thousand_waits_and_end_with_the_first_that_came()
    {
        BriefWait wait = new(_seat);
        for (int pause = 1; pause <= 2048; pause *= 2)
        {
            Assert.Equal(BriefWait.Moment, wait.Begin());
            wait.End(cameTrue: false);
            for (int i = 0; i < Math.Min(pause, 1024); i++)
            {
                Assert.Equal(0, wait.Begin());
            }
        }

        Assert.Equal(BriefWait.Moment, wait.Begin());
        wait.End(cameTrue: true);
        Assert.Equal(BriefWait.Moment, wait.Begin());
        wait.End(cameTrue: false);
        Assert.Equal(0, wait.Begin());
        Assert.Equal(BriefWait.Moment, wait.Begin());
    }

    [Fact]
    public void A_new_socket_begins_with_what_the_last_one_has_learnt()
    {
        BriefWait first = new(_seat);
        Assert.Equal(BriefWait.Moment, first.Begin());
        first.End(cameTrue: false);
        BriefWait second = new(_seat);
        Assert.Equal(0, second.Begin());
        Assert.Equal(BriefWait.Moment, second.Begin());
        second.End(cameTrue: true);
        Assert.Equal(BriefWait.Moment, new BriefWait(_seat).Begin());
    }

    [Fact]
    public void A_thread_that_has_something_else_to_do_does_not_stay()
    {
        bool mayStay = false;
        BriefWait wait = new(new WaitingSeat(() => mayStay));
        Assert.Equal(0, wait.Begin());
        mayStay = true;
        Assert.Equal(BriefWait.Moment, wait.Begin());
    }

    // The seat of the process can only be tried where it refuses: whether its pool is idle is not a test's to say.
    [Fact]
    public void A_thread_of_the_caller_never_stays()
    {
        bool stays = true;
        Thread thread = new(() => stays = WaitingSeat.OfProcess.TryTake());
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
            bool taken = WaitingSeat.OfProcess.TryTake();
            if (taken)
            {
                WaitingSeat.OfProcess.Leave(pause: 0);
            }

            asked.Set();
            Task.WaitAll(work);
            return taken;
        });
        Assert.False(stays);
    }
}
