using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>The transcript hash over all handshake messages so far (RFC 8446 §4.4.1).</summary>
internal sealed class Transcript : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly IncrementalHash _hash;

    public Transcript(CipherSuite suite)
    {
        _suite = suite;
        _hash = IncrementalHash.CreateHash(suite.Hash);
    }

    public void Append(ReadOnlySpan<byte> message) => _hash.AppendData(message);

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
        _hash.GetHashAndReset(message[4..]);
        _hash.AppendData(message);
    }

    /// <summary>The hash so far.</summary>
    /// <param name="destination">At least <see cref="CipherSuite.MaxHashLength"/> bytes.</param>
    /// <returns>The filled part.</returns>
    public ReadOnlySpan<byte> Current(Span<byte> destination) => destination[.._hash.GetCurrentHash(destination)];

    public void Dispose() => _hash.Dispose();
}
