using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>Seals the records of one direction in user space (RFC 8446 §5.2). Not for several threads at once.</summary>
public sealed class RecordSealer : IDisposable
{
    /// <summary>Bytes that a record is longer than its content: header, content type and tag.</summary>
    public const int Overhead = RecordHeader.Size + 1 + Crypto.CipherSuite.TagLength;

    private readonly Aead _aead;
    private RecordNonce _nonce;

    /// <summary>Creates a sealer whose first record has the number 0.</summary>
    /// <param name="keys">The keys; not needed any more after this call.</param>
    public RecordSealer(RecordKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _aead = Aead.Create(keys.Suite.Aead, keys.Key);
        _nonce = new RecordNonce(keys.Iv);
    }

    /// <summary>The number of the next record.</summary>
    public ulong Sequence => _nonce.Sequence;

    /// <summary>Seals one record.</summary>
    /// <param name="type">The content's type.</param>
    /// <param name="content">At most <see cref="RecordHeader.MaxPlaintext"/> bytes; must not overlap <paramref name="destination"/>.</param>
    /// <param name="destination">At least the content's length and <see cref="Overhead"/>.</param>
    /// <returns>Bytes of the record.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The content is too long.</exception>
    public int Seal(ContentType type, ReadOnlySpan<byte> content, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, RecordHeader.MaxPlaintext, nameof(content));
        int innerLength = content.Length + 1;
        Span<byte> record = destination[..(content.Length + Overhead)];
        Span<byte> header = record[..RecordHeader.Size];
        RecordHeader.Write(header, ContentType.ApplicationData, innerLength + Crypto.CipherSuite.TagLength);
        Span<byte> inner = record.Slice(RecordHeader.Size, innerLength);
        content.CopyTo(inner);
        inner[^1] = (byte)type;

        Span<byte> nonce = stackalloc byte[Crypto.CipherSuite.IvLength];
        _nonce.Write(nonce);
        _aead.Encrypt(nonce, inner, record[(RecordHeader.Size + innerLength)..], header);
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
}
