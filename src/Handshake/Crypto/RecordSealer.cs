using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>Seals the records of one direction in user space (RFC 8446 §5.2; RFC 5246 §6.2.3.3). Not for several threads at once.</summary>
[Experimental(Maturity.Experimental)]
public sealed class RecordSealer : IDisposable
{
    /// <summary>
    /// The most bytes that a record is longer than its content: header, tag, and the content type (TLS 1.3) or the explicit
    /// nonce (TLS 1.2).
    /// </summary>
    public const int MaxOverhead = RecordHeader.Size + 8 + Crypto.CipherSuite.TagLength;

    private readonly Aead _aead;
    private readonly bool _isTls13;
    private readonly int _explicitNonceLength;
    private RecordNonce _nonce;

    /// <summary>Creates a sealer that starts at the keys' next record.</summary>
    /// <param name="keys">The keys; not needed any more after this call.</param>
    public RecordSealer(RecordKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = Aead.Create(keys.Suite.Aead, keys.Key, isSealing: true);
        _isTls13 = keys.Suite.IsTls13;
        _explicitNonceLength = keys.Suite.ExplicitNonceLength;
        _nonce = new RecordNonce(keys.Iv, keys.Sequence);
    }

    /// <summary>The number of the next record.</summary>
    public ulong Sequence => _nonce.Sequence;

    /// <summary>Bytes that a record of these keys is longer than its content.</summary>
    public int Overhead => RecordHeader.Size + Crypto.CipherSuite.TagLength + (_isTls13 ? 1 : _explicitNonceLength);

    /// <summary>Seals one record.</summary>
    /// <param name="type">The content's type.</param>
    /// <param name="content">At most <see cref="RecordHeader.MaxPlaintext"/> bytes; must not overlap <paramref name="destination"/>.</param>
    /// <param name="destination">At least the content's length and <see cref="Overhead"/>.</param>
    /// <returns>Bytes of the record.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The content is too long.</exception>
    public int Seal(ContentType type, ReadOnlySpan<byte> content, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, RecordHeader.MaxPlaintext, nameof(content));
        Span<byte> record = destination[..(content.Length + Overhead)];
        Span<byte> nonce = stackalloc byte[Crypto.CipherSuite.NonceLength];
        _nonce.Write(nonce);
        if (_isTls13)
        {
            Seal13(type, content, record, nonce);
        }
        else
        {
            Seal12(type, content, record, nonce);
        }

        _nonce.Advance();
        return record.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The write IV is secret, too. The key goes first: nothing is ever sealed or opened with a cleared nonce.
        _aead.Dispose();
        _nonce = default;
    }

    private void Seal13(ContentType type, ReadOnlySpan<byte> content, Span<byte> record, ReadOnlySpan<byte> nonce)
    {
        Span<byte> header = record[..RecordHeader.Size];
        RecordHeader.Write(header, ContentType.ApplicationData, record.Length - RecordHeader.Size);
        Span<byte> inner = record.Slice(RecordHeader.Size, content.Length + 1);
        content.CopyTo(inner);
        inner[^1] = (byte)type;
        _aead.Encrypt(nonce, inner, record[^Crypto.CipherSuite.TagLength..], header);
    }

    private void Seal12(ContentType type, ReadOnlySpan<byte> content, Span<byte> record, ReadOnlySpan<byte> nonce)
    {
        RecordHeader.Write(record, type, record.Length - RecordHeader.Size);
        nonce[^_explicitNonceLength..].CopyTo(record[RecordHeader.Size..]);
        Span<byte> body = record.Slice(RecordHeader.Size + _explicitNonceLength, content.Length);
        content.CopyTo(body);
        Span<byte> associated = stackalloc byte[AssociatedData12.Length];
        AssociatedData12.Write(associated, Sequence, type, content.Length);
        _aead.Encrypt(nonce, body, record[^Crypto.CipherSuite.TagLength..], associated);
    }
}
