namespace KTls.Handshake;

/// <summary>How much a peer may make a handshake hold or do. A peer that goes beyond gets an alert.</summary>
public sealed record HandshakeLimits
{
    /// <summary>The limits when nothing else is said.</summary>
    public static HandshakeLimits Default { get; } = new();

    /// <summary>The most bytes of one handshake message, from 1 to 2^24 - 1, more than which its length field cannot say (RFC 8446 §4); 65536 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxMessageSize { get; init => field = Checked(value, 1, (1 << 24) - 1); } = 64 * 1024;

    /// <summary>The most certificates in the peer's chain, at least 1; 16 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxChainLength { get; init => field = Checked(value, 1); } = 16;

    /// <summary>
    /// The most bytes of early data that a server skips (RFC 8446 §4.2.10), at least 0: it never accepts any. 65536 by default, as much as
    /// a server that accepts early data would take elsewhere.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxSkippedEarlyData { get; init => field = Checked(value, 0); } = 64 * 1024;

    /// <summary>The most pre-shared keys of a ClientHello that a server tries to open, at least 0; 4 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxPreSharedKeys { get; init => field = Checked(value, 0); } = 4;

    /// <summary>The most warnings in a handshake, at least 0; 4 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxWarnings { get; init => field = Checked(value, 0); } = 4;

    private static int Checked(int value, int least, int most = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most);
        return value;
    }
}
