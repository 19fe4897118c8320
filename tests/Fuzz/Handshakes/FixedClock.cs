namespace KTls.Fuzz.Handshakes;

/// <summary>A clock that stands: what is fuzzed today and tomorrow is the same.</summary>
internal sealed class FixedClock : TimeProvider
{
    public static FixedClock Instance { get; } = new();

    public override DateTimeOffset GetUtcNow() => new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
