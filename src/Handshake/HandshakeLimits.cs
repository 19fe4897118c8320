namespace KTls.Handshake;

/// <summary>How much a peer may make a handshake hold or do. A peer that goes beyond gets an alert.</summary>
public sealed record HandshakeLimits
{
    /// <summary>The limits when nothing else is said.</summary>
    public static HandshakeLimits Default { get; } = new();

    /// <summary>The most bytes of one handshake message; 65536 by default, at most 2^24 - 1.</summary>
    public int MaxMessageSize { get; init; } = 64 * 1024;

    /// <summary>The most certificates in the peer's chain; 16 by default.</summary>
    public int MaxChainLength { get; init; } = 16;

    /// <summary>
    /// The most bytes of early data that a server skips (RFC 8446 §4.2.10): it never accepts any. 65536 by default, as much as
    /// a server that accepts early data would take elsewhere.
    /// </summary>
    public int MaxSkippedEarlyData { get; init; } = 64 * 1024;

    /// <summary>The most pre-shared keys of a ClientHello that a server tries to open; 4 by default.</summary>
    public int MaxPreSharedKeys { get; init; } = 4;

    /// <summary>The most warnings in a handshake; 4 by default.</summary>
    public int MaxWarnings { get; init; } = 4;
}
