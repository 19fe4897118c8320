using System.Net.Security;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>
/// What seals or opens the records of one direction: key, write IV and the number of the next record.
/// Zeroed on dispose.
/// </summary>
public sealed class RecordKeys : IDisposable
{
    private readonly SecretBytes _material;
    private readonly CipherSuite _suite;

    internal RecordKeys(CipherSuite suite, ReadOnlySpan<byte> trafficSecret)
    {
        _suite = suite;
        _material = new SecretBytes(suite.KeyLength + Crypto.CipherSuite.IvLength);

        // RFC 8446 §7.3
        HkdfLabel.Expand(suite.Hash, trafficSecret, "key"u8, default, _material.Span[..suite.KeyLength]);
        HkdfLabel.Expand(suite.Hash, trafficSecret, "iv"u8, default, _material.Span[suite.KeyLength..]);
    }

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite => _suite.Id;

    /// <summary>The key: 16 or 32 bytes, by the suite.</summary>
    public ReadOnlySpan<byte> Key => _material.Span[.._suite.KeyLength];

    /// <summary>The write IV: 12 bytes.</summary>
    public ReadOnlySpan<byte> Iv => _material.Span[_suite.KeyLength..];

    internal CipherSuite Suite => _suite;

    /// <inheritdoc/>
    public void Dispose() => _material.Dispose();

    /// <summary>Says nothing of the content.</summary>
    /// <returns>The suite's name.</returns>
    public override string ToString() => $"Keys for {CipherSuite}";
}
