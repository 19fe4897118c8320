using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>One face for .NET's AEAD classes, which share none.</summary>
internal abstract class Aead : IDisposable
{
    public static Aead Create(AeadAlgorithm algorithm, ReadOnlySpan<byte> key) => algorithm switch
    {
        AeadAlgorithm.AesGcm => new AesGcmAead(key),
        AeadAlgorithm.AesCcm => new AesCcmAead(key),
        AeadAlgorithm.ChaCha20Poly1305 => new ChaCha20Poly1305Aead(key),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    public abstract void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData);

    /// <exception cref="AuthenticationTagMismatchException">The tag does not fit.</exception>
    public abstract void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData);

    public abstract void Dispose();

    private sealed class AesGcmAead(ReadOnlySpan<byte> key) : Aead
    {
        private readonly AesGcm _aead = new(key, CipherSuite.TagLength);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);

        public override void Dispose() => _aead.Dispose();
    }

    private sealed class AesCcmAead(ReadOnlySpan<byte> key) : Aead
    {
        private readonly AesCcm _aead = new(key);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);

        public override void Dispose() => _aead.Dispose();
    }

    private sealed class ChaCha20Poly1305Aead(ReadOnlySpan<byte> key) : Aead
    {
        private readonly ChaCha20Poly1305 _aead = new(key);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);

        public override void Dispose() => _aead.Dispose();
    }
}
