namespace KTls.Handshake.Crypto;

/// <summary>The key block of TLS 1.2 (RFC 5246 §6.3), split into the keys of each direction.</summary>
internal sealed class TrafficKeys12 : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly SecretBytes _block;

    /// <param name="suite">The suite.</param>
    /// <param name="masterSecret">The master secret.</param>
    /// <param name="randoms">The client's random, then the server's.</param>
    public TrafficKeys12(CipherSuite suite, ReadOnlySpan<byte> masterSecret, ReadOnlySpan<byte> randoms)
    {
        _suite = suite;
        _block = SecretBytes.Lasting(2 * (suite.KeyLength + suite.IvLength));

        // The other way round than everywhere else: the server's random first.
        Span<byte> seed = stackalloc byte[randoms.Length];
        randoms[(randoms.Length / 2)..].CopyTo(seed);
        randoms[..(randoms.Length / 2)].CopyTo(seed[(randoms.Length / 2)..]);
        Prf.Compute(suite, masterSecret, "key expansion"u8, seed, _block.Span);
    }

    /// <summary>The keys that one end sends with. The caller disposes them.</summary>
    public RecordKeys Of(bool server, ulong sequence)
    {
        int key = server ? _suite.KeyLength : 0;
        int iv = (2 * _suite.KeyLength) + (server ? _suite.IvLength : 0);
        return new RecordKeys(_suite, _block.Span.Slice(key, _suite.KeyLength), _block.Span.Slice(iv, _suite.IvLength), sequence);
    }

    public void Dispose() => _block.Dispose();
}
