namespace KTls.Handshake.Crypto;

/// <summary>The transcript hash over all handshake messages so far (RFC 8446 §4.4.1).</summary>
internal sealed class Transcript : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly Digest _digest;

    public Transcript(CipherSuite suite)
    {
        _suite = suite;
        _digest = Digest.Create(suite.Hash);
    }

    public void Append(ReadOnlySpan<byte> message) => _digest.Append(message);

    /// <summary>
    /// Puts a synthetic message_hash message in the place of ClientHello1, as after a HelloRetryRequest (RFC 8446 §4.4.1).
    /// Only ClientHello1 may have been appended.
    /// </summary>
    public void ReplaceByMessageHash()
    {
        Span<byte> message = stackalloc byte[4 + CipherSuite.MaxHashLength];
        message[0] = (byte)Wire.HandshakeType.MessageHash;
        message[1] = 0;
        message[2] = 0;
        message[3] = (byte)_suite.HashLength;
        message = message[..(4 + _suite.HashLength)];
        _digest.Finish(message[4..]);
        _digest.Append(message);
    }

    /// <inheritdoc cref="Digest.Current"/>
    public ReadOnlySpan<byte> Current(Span<byte> destination) => _digest.Current(destination);

    public void Dispose() => _digest.Dispose();
}
