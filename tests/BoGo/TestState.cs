using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>What goes from one connection of a test to the next.</summary>
internal sealed class TestState : IDisposable
{
    public TestState() => Tickets = new TicketKeyRing(clock: Clock);

    public TestClock Clock { get; } = new();

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

    /// <summary>Stands still but for what the runner lets pass between connections: it counts seconds exactly.</summary>
    internal sealed class TestClock : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UtcNow;

        public void Advance(int seconds) => _now += TimeSpan.FromSeconds(seconds);

        public override DateTimeOffset GetUtcNow() => _now;
    }
}
