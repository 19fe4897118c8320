using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>What goes from one connection of a test to the next.</summary>
internal sealed class TestState : IDisposable
{
    public TestState() => Tickets = new TicketKeyRing(clock: Clock);

    /// <summary>The real time, and what the runner lets pass between connections.</summary>
    public ShiftedClock Clock { get; } = new();

    /// <summary>A server's.</summary>
    public TicketKeyRing Tickets { get; }

    /// <summary>A client's last session.</summary>
    public ClientSession? Session { get; private set; }

    /// <summary>Takes a session over.</summary>
    public void Keep(ClientSession? session)
    {
        Session?.Dispose();
        Session = session;
    }

    public void Dispose() => Keep(null);

    internal sealed class ShiftedClock : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
