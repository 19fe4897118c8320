using System.Text;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>The keys of tickets: their rotation, and what they open.</summary>
public sealed class TicketKeyRingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly byte[] State = Encoding.ASCII.GetBytes("what a server has to remember");

    private readonly FakeClock _clock = new();

    [Fact]
    public void A_ticket_opens_to_what_was_sealed_and_tells_nothing()
    {
        var ring = new TicketKeyRing();
        byte[] one = ring.Seal(State);
        byte[] other = ring.Seal(State);
        Assert.Equal(State, ring.TryOpen(one));
        Assert.Equal(State, ring.TryOpen(other));
        Assert.True(one.AsSpan().IndexOf(State.AsSpan(0, 8)) < 0);

        // The same key, another salt: nothing of the body is alike.
        Assert.Equal(one[..TicketKey.NameLength], other[..TicketKey.NameLength]);
        Assert.NotEqual(one[TicketKey.NameLength..], other[TicketKey.NameLength..]);
        Assert.NotEqual(one[^State.Length..], other[^State.Length..]);
        Assert.Equal(Array.Empty<byte>(), ring.TryOpen(ring.Seal([])));
    }

    [Fact]
    public void Any_changed_bit_and_any_cut_closes_a_ticket()
    {
        var ring = new TicketKeyRing();
        byte[] ticket = ring.Seal(State);
        for (int i = 0; i < ticket.Length; i++)
        {
            byte[] changed = [.. ticket];
            changed[i] ^= 0x80;
            Assert.Null(ring.TryOpen(changed));
            Assert.Null(ring.TryOpen(ticket.AsSpan(0, i)));
        }

        Assert.Null(ring.TryOpen([.. ticket, 0]));
    }

    /// <summary>The secret of a key, not its name, opens.</summary>
    [Fact]
    public void A_key_of_the_same_name_with_another_secret_opens_nothing()
    {
        using var key = TicketKey.Create();
        byte[] bytes = key.Export();
        bytes[^1] ^= 1;
        using var twin = new TicketKey(bytes);
        Assert.Equal(key.ToString(), twin.ToString());
        Assert.DoesNotContain(Convert.ToHexString(bytes[TicketKey.NameLength..]), key.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Null(new TicketKeyRing([twin]).TryOpen(new TicketKeyRing([key]).Seal(State)));
    }

    [Fact]
    public void A_key_seals_for_one_period_and_opens_for_one_more()
    {
        var ring = new TicketKeyRing(Hour, _clock);
        DateTimeOffset start = _clock.Now;
        byte[] first = ring.Seal(State);
        _clock.Now = start + Hour - TimeSpan.FromTicks(1);
        byte[] last = ring.Seal(State);
        Assert.Equal(Name(first), Name(last));

        _clock.Now = start + Hour;
        byte[] second = ring.Seal(State);
        Assert.NotEqual(Name(first), Name(second));
        Assert.Equal(State, ring.TryOpen(first));

        _clock.Now = start + (2 * Hour) - TimeSpan.FromTicks(1);
        Assert.Equal(State, ring.TryOpen(last));
        _clock.Now = start + (2 * Hour);
        Assert.Null(ring.TryOpen(first));
        Assert.Null(ring.TryOpen(last));
        Assert.Equal(State, ring.TryOpen(second));
        _clock.Now = start + (3 * Hour);
        Assert.Null(ring.TryOpen(second));
    }

    /// <summary>Nobody asked for so long that the old key has had its time.</summary>
    [Fact]
    public void After_a_long_rest_the_last_key_opens_no_more()
    {
        var ring = new TicketKeyRing(Hour, _clock);
        byte[] ticket = ring.Seal(State);
        _clock.Now += 2 * Hour;
        Assert.Null(ring.TryOpen(ticket));
    }

    /// <summary>A clock that is set back does not keep a key alive.</summary>
    [Fact]
    public void A_clock_that_goes_back_changes_nothing()
    {
        var ring = new TicketKeyRing(Hour, _clock);
        byte[] ticket = ring.Seal(State);
        _clock.Now -= Hour;
        Assert.Equal(Name(ticket), Name(ring.Seal(State)));
        Assert.Equal(State, ring.TryOpen(ticket));
    }

    [Fact]
    public void Shared_keys_are_replaced_at_once()
    {
        using var old = TicketKey.Create();
        using var next = TicketKey.Create();
        var ring = new TicketKeyRing([old]);
        byte[] ticket = ring.Seal(State);
        ring.Replace([next, old]);
        Assert.Equal(State, ring.TryOpen(ticket));
        Assert.NotEqual(Name(ticket), Name(ring.Seal(State)));
        ring.Replace([next]);
        Assert.Null(ring.TryOpen(ticket));
    }

    /// <summary>The ring has copies: a handshake never works with keys that their owner has zeroed.</summary>
    [Fact]
    public void The_keys_are_the_callers_to_dispose_as_soon_as_the_ring_has_them()
    {
        byte[] bytes;
        TicketKeyRing ring;
        using (var key = TicketKey.Create())
        {
            bytes = key.Export();
            ring = new TicketKeyRing([key]);
        }

        byte[] ticket = ring.Seal(State);
        using (var same = new TicketKey(bytes))
        {
            Assert.Equal(State, new TicketKeyRing([same]).TryOpen(ticket));
            ring.Replace([same]);
        }

        Assert.Equal(State, ring.TryOpen(ticket));
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new TicketKeyRing([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TicketKeyRing(TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => new TicketKey(new byte[TicketKey.Size - 1]));
        Assert.Throws<ArgumentException>(() => new TicketKey(new byte[TicketKey.Size + 1]));
        using var key = TicketKey.Create();
        Assert.Throws<InvalidOperationException>(() => new TicketKeyRing().Replace([key]));
        Assert.Throws<ArgumentException>(() => new TicketKeyRing([key]).Replace([]));
    }

    [Fact]
    public void Many_threads_seal_and_open_while_keys_change()
    {
        var ring = new TicketKeyRing(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        Parallel.For(0, 4000, _ =>
        {
            // A ticket may have outlived its key, but what opens is right.
            if (ring.TryOpen(ring.Seal(State)) is { } opened)
            {
                Assert.Equal(State, opened);
            }
        });
    }

    /// <summary>A key that is zeroed in the middle of a ticket fails nobody, and its zeros seal nothing.</summary>
    [Fact]
    public void Many_threads_seal_and_open_while_others_replace_the_keys()
    {
        using var first = TicketKey.Create();
        using var second = TicketKey.Create();
        var ring = new TicketKeyRing([first, second]);
        Parallel.For(0, 4000, i =>
        {
            if (i % 8 == 0)
            {
                ring.Replace(i % 16 == 0 ? [first, second] : [second, first]);
                return;
            }

            byte[] ticket = ring.Seal(State);
            Assert.Equal(State, new TicketKeyRing([first, second]).TryOpen(ticket));
            if (ring.TryOpen(ticket) is { } opened)
            {
                Assert.Equal(State, opened);
            }
        });
    }

    /// <summary>A server without clients does not keep its keys.</summary>
    [Fact]
    public void Keys_change_without_anybody_asking()
    {
        var clock = new TimedClock();
        var ring = new TicketKeyRing(Hour, clock);
        byte[] ticket = ring.Seal(State);
        Assert.Equal(Hour, clock.Period);
        clock.Look();
        Assert.Equal(Name(ticket), Name(ring.Seal(State)));
        clock.Now += Hour;
        clock.Look();

        // Now nobody's asking can have done it.
        clock.Now -= Hour;
        Assert.NotEqual(Name(ticket), Name(ring.Seal(State)));
        Assert.Equal(State, ring.TryOpen(ticket));
    }

    private sealed class TimedClock : TimeProvider
    {
        private TimerCallback? _look;

        public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public TimeSpan Period { get; private set; }

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_look, Period) = (callback, period);
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Look() => _look!(null);
    }

    private static byte[] Name(byte[] ticket) => ticket[..TicketKey.NameLength];
}
