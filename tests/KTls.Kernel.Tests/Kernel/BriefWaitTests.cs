namespace KTls.Kernel.Tests;

/// <summary>Nothing else runs meanwhile: the pool is the whole process', and has to be idle.</summary>
[CollectionDefinition(nameof(BriefWaitTests), DisableParallelization = true)]
public sealed class AnIdlePool;

[Collection(nameof(BriefWaitTests))]
public class BriefWaitTests
{
    [Fact]
    public void A_thread_of_the_caller_never_stays()
    {
        int allowed = -1;
        Thread thread = new(() => allowed = new BriefWait().Begin());
        thread.Start();
        thread.Join();
        Assert.Equal(0, allowed);
    }

    [Fact]
    public async Task One_thread_of_the_process_stays_at_a_time()
    {
        await Task.Run(() =>
        {
            BriefWait first = default;
            BriefWait second = default;
            Begin(ref first);
            Assert.Equal(0, second.Begin());
            first.End(cameTrue: true);
            Begin(ref second);
            second.End(cameTrue: true);
        });
    }

    [Fact]
    public async Task Where_no_room_came_the_pauses_grow_to_a_thousand_waits_and_end_with_the_first_that_came()
    {
        await Task.Run(() =>
        {
            BriefWait wait = default;
            for (int pause = 1; pause <= 2048; pause *= 2)
            {
                Begin(ref wait);
                wait.End(cameTrue: false);
                for (int i = 0; i < Math.Min(pause, 1024); i++)
                {
                    Assert.Equal(0, wait.Begin());
                }
            }

            Begin(ref wait);
            wait.End(cameTrue: true);
            Begin(ref wait);
            wait.End(cameTrue: false);
            Assert.Equal(0, wait.Begin());
            Begin(ref wait);
            wait.End(cameTrue: true);
        });
    }

    [Fact]
    public async Task Nobody_stays_while_the_pool_has_work_to_do()
    {
        await Task.Run(() =>
        {
            // More work than threads to do it, until the wait was asked.
            using ManualResetEventSlim asked = new();
            Task[] work = [.. Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Task.Run(asked.Wait))];
            Assert.NotEqual(0, ThreadPool.PendingWorkItemCount);
            Assert.Equal(0, new BriefWait().Begin());
            asked.Set();
            Task.WaitAll(work);
        });
    }

    // What the tests before have left may be in the way, for a moment.
    private static void Begin(ref BriefWait wait)
    {
        BriefWait before = wait;
        for (int i = 0; i < 1000; i++)
        {
            wait = before;
            if (wait.Begin() == BriefWait.Moment)
            {
                return;
            }

            Thread.Sleep(10);
        }

        Assert.Fail("The pool was never idle.");
    }
}
