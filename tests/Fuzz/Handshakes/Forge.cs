using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Fuzz.Handshakes;

/// <summary>Seals what no honest peer seals: content without a type, with padding, over the limit.</summary>
internal sealed class Forge : IDisposable
{
    private readonly Aead _aead;
    private readonly CipherSuite _suite;
    private RecordNonce _nonce;

    public Forge(RecordKeys keys)
    {
        _suite = keys.Suite;
        _aead = Aead.Create(keys.Suite.Aead, keys.Key, isSealing: true);
        _nonce = new RecordNonce(keys.Iv, keys.Sequence);
    }

    /// <summary>Seals content, in TLS 1.3 with its type and padding.</summary>
    public byte[] Seal(ContentType type, ReadOnlySpan<byte> content, int padding) =>
        SealInner(_suite.IsTls13 ? ContentType.ApplicationData : type, _suite.IsTls13 ? [.. content, (byte)type, .. new byte[padding]] : content);

    /// <summary>Seals all that is encrypted, as it is.</summary>
    public byte[] SealInner(ContentType outerType, ReadOnlySpan<byte> inner)
    {
        Span<byte> nonce = stackalloc byte[CipherSuite.NonceLength];
        _nonce.Write(nonce);
        byte[] record = new byte[RecordHeader.Size + _suite.ExplicitNonceLength + inner.Length + CipherSuite.TagLength];
        RecordHeader.Write(record, outerType, record.Length - RecordHeader.Size);
        nonce[^_suite.ExplicitNonceLength..].CopyTo(record.AsSpan(RecordHeader.Size));
        Span<byte> body = record.AsSpan(RecordHeader.Size + _suite.ExplicitNonceLength, inner.Length);
        inner.CopyTo(body);
        Span<byte> associated = stackalloc byte[AssociatedData12.Length];
        if (_suite.IsTls13)
        {
            associated = associated[..RecordHeader.Size];
            record.AsSpan(0, RecordHeader.Size).CopyTo(associated);
        }
        else
        {
            AssociatedData12.Write(associated, _nonce.Sequence, outerType, inner.Length);
        }

        _aead.Encrypt(nonce, body, record.AsSpan(record.Length - CipherSuite.TagLength), associated);
        _nonce.Advance();
        return record;
    }

    public void Dispose() => _aead.Dispose();
}
