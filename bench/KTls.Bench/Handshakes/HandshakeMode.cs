namespace KTls.Bench.Handshakes;

/// <summary>What kind of handshake is measured.</summary>
internal enum HandshakeMode
{
    /// <summary>Full, and resumption is switched off on both sides. SslStream then sets up OpenSSL anew for each connection.</summary>
    Full,

    /// <summary>Full, since no client has a session yet; but the server hands out tickets, as it does with default options.</summary>
    Ticketed,

    /// <summary>A session is resumed, and the server hands out tickets again.</summary>
    Resumed,
}
