using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>Opens the records of one direction in user space (RFC 8446 §5.2; RFC 5246 §6.2.3.3). Not for several threads at once.</summary>
[Experimental(Maturity.Experimental)]
public sealed class RecordOpener : IDisposable
{
    private readonly Aead _aead;
    private readonly bool _isTls13;
    private readonly int _explicitNonceLength;
    private RecordNonce _nonce;

    /// <summary>Creates an opener that starts at the keys' next record.</summary>
    /// <param name="keys">The keys; not needed any more after this call.</param>
    public RecordOpener(RecordKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = Aead.Create(keys.Suite.Aead, keys.Key, isSealing: false);
        _isTls13 = keys.Suite.IsTls13;
        _explicitNonceLength = keys.Suite.ExplicitNonceLength;
        _nonce = new RecordNonce(keys.Iv, keys.Sequence);
    }

    /// <summary>The number of the next record.</summary>
    public ulong Sequence => _nonce.Sequence;

    internal bool IsTls13 => _isTls13;

    /// <summary>Where the content begins in a record that was opened: bytes from the start of its header.</summary>
    public int ContentOffset => RecordHeader.Size + _explicitNonceLength;

    /// <summary>Opens one record in place.</summary>
    /// <param name="record">The whole record with its header; its content is overwritten.</param>
    /// <param name="type">The type of the content inside.</param>
    /// <returns>The content, a part of <paramref name="record"/> that begins at <see cref="ContentOffset"/>.</returns>
    /// <exception cref="TlsAlertException">The record is not from the peer, or not well-formed.</exception>
    public Span<byte> Open(Span<byte> record, out ContentType type) => TryOpen(record, out Span<byte> content, out type) ? content : throw NotOfThisConnection();

    /// <summary>The alert for a record that <see cref="TryOpen"/> cannot open.</summary>
    internal static TlsAlertException NotOfThisConnection() => new(AlertDescription.BadRecordMac, "A record cannot be opened with the keys of this connection.");

    /// <summary>As <see cref="Open"/>, but false when the record is sealed with another key, forged, or too short to hold a tag.</summary>
    internal bool TryOpen(Span<byte> record, out Span<byte> content, out ContentType type)
    {
        int contentLength = record.Length - ContentOffset - Crypto.CipherSuite.TagLength;
        type = (ContentType)record[0];
        if (_isTls13 && type != ContentType.ApplicationData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} where only encrypted ones may come.");
        }

        if (record.Length - RecordHeader.Size > RecordHeader.MaxCiphertext)
        {
            throw new TlsAlertException(AlertDescription.RecordOverflow, "An encrypted record is over the limit.");
        }

        // TLS 1.3 has at least the content's type inside.
        if (contentLength < (_isTls13 ? 1 : 0))
        {
            content = default;
            return false;
        }

        content = record.Slice(ContentOffset, contentLength);
        if (!TryDecrypt(record, content, type))
        {
            return false;
        }

        int limit = _isTls13 ? RecordHeader.MaxPlaintext + 1 : RecordHeader.MaxPlaintext;
        if (contentLength > limit)
        {
            // Padding does not lift the limit (RFC 8446 §5.4).
            throw new TlsAlertException(AlertDescription.RecordOverflow, $"A record holds {contentLength} bytes, over the limit of {limit}.");
        }

        if (_isTls13)
        {
            content = RemovePadding(content, out type);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The write IV is secret, too. The key goes first: nothing is ever sealed or opened with a cleared nonce.
        _aead.Dispose();
        _nonce = default;
    }

    private bool TryDecrypt(Span<byte> record, Span<byte> content, ContentType type)
    {
        Span<byte> nonce = stackalloc byte[Crypto.CipherSuite.NonceLength];
        _nonce.Write(nonce);
        Span<byte> associated = stackalloc byte[AssociatedData12.Length];
        if (_isTls13)
        {
            associated = associated[..RecordHeader.Size];
            record[..RecordHeader.Size].CopyTo(associated);
        }
        else
        {
            // The sender chooses the explicit part as it likes (RFC 5288 §3).
            record.Slice(RecordHeader.Size, _explicitNonceLength).CopyTo(nonce[^_explicitNonceLength..]);
            AssociatedData12.Write(associated, Sequence, type, content.Length);
        }

        if (!_aead.TryDecrypt(nonce, content, record[^Crypto.CipherSuite.TagLength..], associated))
        {
            return false;
        }

        _nonce.Advance();
        return true;
    }

    private static Span<byte> RemovePadding(Span<byte> inner, out ContentType type)
    {
        int last = inner.LastIndexOfAnyExcept((byte)0);
        if (last < 0)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A record without a content type.");
        }

        type = (ContentType)inner[last];
        return inner[..last];
    }
}
