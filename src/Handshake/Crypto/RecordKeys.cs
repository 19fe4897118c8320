using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>
/// What seals or opens the records of one direction: key, write IV and the number of the next record.
/// Zeroed on dispose.
/// </summary>
[Experimental(Maturity.Experimental)]
public sealed class RecordKeys : IDisposable
{
    private readonly SecretBytes _material;
    private readonly CipherSuite _suite;

    /// <summary>TLS 1.3 (RFC 8446 §7.3).</summary>
    internal RecordKeys(CipherSuite suite, ReadOnlySpan<byte> trafficSecret, ulong sequence = 0)
    {
        _suite = suite;
        _material = new SecretBytes(suite.KeyLength + suite.IvLength);
        Sequence = sequence;
        using var hmac = new KeyedHmac(suite.Hash, trafficSecret);
        hmac.Expand("key"u8, default, _material.Span[..suite.KeyLength]);
        hmac.Expand("iv"u8, default, _material.Span[suite.KeyLength..]);
    }

    /// <summary>TLS 1.2: parts of the key block (RFC 5246 §6.3).</summary>
    internal RecordKeys(CipherSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ulong sequence)
    {
        _suite = suite;
        _material = new SecretBytes(suite.KeyLength + suite.IvLength);
        Sequence = sequence;
        key.CopyTo(_material.Span);
        iv.CopyTo(_material.Span[suite.KeyLength..]);
    }

    /// <summary>The protocol version, which decides how records look.</summary>
    public SslProtocols Protocol => _suite.Protocol;

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite => _suite.Id;

    /// <summary>The key: 16 or 32 bytes, by the suite.</summary>
    public ReadOnlySpan<byte> Key => _material.Span[.._suite.KeyLength];

    /// <summary>
    /// The write IV: 12 bytes; 4 bytes in TLS 1.2 with GCM or CCM, where the rest of the nonce stands in each record.
    /// </summary>
    public ReadOnlySpan<byte> Iv => _material.Span[_suite.KeyLength..];

    /// <summary>The number of the next record.</summary>
    public ulong Sequence { get; }

    internal CipherSuite Suite => _suite;

    /// <inheritdoc/>
    public void Dispose() => _material.Dispose();

    /// <summary>Says nothing of the content.</summary>
    /// <returns>The suite's name.</returns>
    public override string ToString() => $"Keys for {CipherSuite}";
}
