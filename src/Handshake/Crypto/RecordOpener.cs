using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>Opens the records of one direction in user space (RFC 8446 §5.2). Not for several threads at once.</summary>
public sealed class RecordOpener : IDisposable
{
    private readonly Aead _aead;
    private RecordNonce _nonce;

    /// <summary>Creates an opener whose first record has the number 0.</summary>
    /// <param name="keys">The keys; not needed any more after this call.</param>
    public RecordOpener(RecordKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = Aead.Create(keys.Suite.Aead, keys.Key);
        _nonce = new RecordNonce(keys.Iv);
    }

    /// <summary>The number of the next record.</summary>
    public ulong Sequence => _nonce.Sequence;

    /// <summary>Opens one record in place.</summary>
    /// <param name="record">The whole record with its header; its content is overwritten.</param>
    /// <param name="type">The type of the content inside.</param>
    /// <returns>The content, a part of <paramref name="record"/>.</returns>
    /// <exception cref="TlsAlertException">The record is not from the peer, or not well-formed.</exception>
    public Span<byte> Open(Span<byte> record, out ContentType type)
    {
        Span<byte> header = record[..RecordHeader.Size];
        Span<byte> body = record[RecordHeader.Size..];
        if (header[0] != (byte)ContentType.ApplicationData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {(ContentType)header[0]} where only encrypted ones may come.");
        }

        if (body.Length > RecordHeader.MaxCiphertext)
        {
            throw new TlsAlertException(AlertDescription.RecordOverflow, "An encrypted record is over the limit.");
        }

        int innerLength = body.Length - Crypto.CipherSuite.TagLength;
        if (innerLength < 1)
        {
            throw new TlsAlertException(AlertDescription.BadRecordMac, "An encrypted record is too short to hold a tag.");
        }

        Span<byte> inner = body[..innerLength];
        Span<byte> nonce = stackalloc byte[Crypto.CipherSuite.IvLength];
        _nonce.Write(nonce);
        try
        {
            _aead.Decrypt(nonce, inner, body[innerLength..], header);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new TlsAlertException(AlertDescription.BadRecordMac, "A record cannot be opened with the keys of this connection.", e);
        }

        _nonce.Advance();
        if (innerLength > RecordHeader.MaxPlaintext + 1)
        {
            // Padding does not lift the limit (RFC 8446 §5.4).
            throw new TlsAlertException(AlertDescription.RecordOverflow, $"A record holds {innerLength} bytes, over the limit of {RecordHeader.MaxPlaintext + 1}.");
        }

        return RemovePadding(inner, out type);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The write IV is secret, too. The key goes first: nothing is ever sealed or opened with a cleared nonce.
        _aead.Dispose();
        _nonce = default;
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
