namespace KTls.DataPlane.Tests;

/// <summary>One at a time, in order, and nobody is forgotten.</summary>
public sealed class TurnTests
{
    [Fact]
    public async Task Whoever_waits_comes_before_who_asks_later()
    {
        var door = new Door();
        Assert.True(door.Turn.TryEnter());
        Assert.False(door.Turn.TryEnter());
        Task first = door.Turn.EnterAsync(CancellationToken.None);
        Task second = door.Turn.EnterAsync(CancellationToken.None);
        Assert.False(first.IsCompleted);

        door.Turn.Exit();
        Assert.False(door.Turn.TryEnter());
        await first.WaitAsync(Lab.Patience);
        Assert.False(second.IsCompleted);
        door.Turn.Exit();
        await second.WaitAsync(Lab.Patience);
        door.Turn.Exit();
        Assert.True(door.Turn.EnterAsync(CancellationToken.None).IsCompletedSuccessfully);
        Assert.False(door.Turn.TryEnter());
        door.Turn.Exit();
        Assert.True(door.Turn.TryEnter());
    }

    [Fact]
    public async Task Who_gives_up_takes_no_turn()
    {
        var door = new Door();
        Assert.True(door.Turn.EnterAsync(new CancellationToken(canceled: true)).IsCanceled);
        Assert.True(door.Turn.TryEnter());
        using var cancellation = new CancellationTokenSource();
        Task cancelled = door.Turn.EnterAsync(cancellation.Token);
        Task next = door.Turn.EnterAsync(CancellationToken.None);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Lab.Patience));
        door.Turn.Exit();
        await next.WaitAsync(Lab.Patience);
        door.Turn.Exit();
        Assert.True(door.Turn.TryEnter());
    }

    [Fact]
    public async Task Only_one_is_inside_whatever_others_do()
    {
        // A new one each time: the step from nobody waiting to somebody is taken once.
        for (int round = 0; round < 300; round++)
        {
            var door = new Door();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => VisitAsync(door, i)))).WaitAsync(Lab.Patience);
            Assert.True(door.Turn.TryEnter());
            Assert.True(door.Visits > 0);
        }
    }

    private static async Task VisitAsync(Door door, int visitor)
    {
        for (int i = 0; i < 30; i++)
        {
            using var cancellation = new CancellationTokenSource();
            if ((i + visitor) % 3 == 0)
            {
                if (!door.Turn.TryEnter())
                {
                    continue;
                }
            }
            else
            {
                Task entering = door.Turn.EnterAsync(cancellation.Token);
                if (i % 5 == visitor)
                {
                    await cancellation.CancelAsync();
                }

                try
                {
                    await entering;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
            }

            Assert.Equal(1, Interlocked.Increment(ref door.Inside));
            door.Visits++;
            if (i % 2 == 0)
            {
                await Task.Yield();
            }

            Interlocked.Decrement(ref door.Inside);
            door.Turn.Exit();
        }
    }

    private sealed class Door
    {
        public Turn Turn;
        public int Inside;
        public int Visits;
    }
}
