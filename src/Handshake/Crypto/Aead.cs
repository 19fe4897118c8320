using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// An AEAD that seals or opens records: OpenSSL's own where it can be had (<see cref="OpenSsl"/>), else one of .NET's classes, which
/// have no face in common.
/// </summary>
internal abstract class Aead : IDisposable
{
    /// <summary>Creates one.</summary>
    /// <param name="algorithm">The algorithm.</param>
    /// <param name="key">The key; not needed any more after this call.</param>
    /// <param name="isSealing">Whether it will only seal; else it will only open.</param>
    public static Aead Create(AeadAlgorithm algorithm, ReadOnlySpan<byte> key, bool isSealing) =>
        OpenSsl.Cipher(algorithm, key.Length) is var cipher and not 0 ? new OpenSslAead(cipher, key, isSealing) : CreateDotNet(algorithm, key);

    /// <summary>Creates one of .NET's.</summary>
    internal static Aead CreateDotNet(AeadAlgorithm algorithm, ReadOnlySpan<byte> key) => algorithm switch
    {
        AeadAlgorithm.AesGcm => new AesGcmAead(key),
        AeadAlgorithm.AesCcm => new AesCcmAead(key),
        AeadAlgorithm.ChaCha20Poly1305 => new ChaCha20Poly1305Aead(key),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    public abstract void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData);

    /// <returns>False: the tag does not fit, and the data is zeroed, so that whoever looks at it all the same finds nothing that a forger has had opened.</returns>
    public abstract bool TryDecrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData);

    public abstract void Dispose();

    private sealed class OpenSslAead(nint cipher, ReadOnlySpan<byte> key, bool isSealing) : Aead
    {
        private readonly OpenSsl.AeadContext _context = new(cipher, key, isSealing);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _context.Seal(nonce, data, tag, associatedData);

        public override bool TryDecrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData)
        {
            bool isOpened = false;
            try
            {
                return isOpened = _context.TryOpen(nonce, data, tag, associatedData);
            }
            finally
            {
                if (!isOpened)
                {
                    CryptographicOperations.ZeroMemory(data);
                }
            }
        }

        public override void Dispose() => _context.Dispose();
    }

    // They zero the data themselves.
    private abstract class DotNetAead : Aead
    {
        public override bool TryDecrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData)
        {
            try
            {
                Decrypt(nonce, data, tag, associatedData);
                return true;
            }
            catch (AuthenticationTagMismatchException)
            {
                return false;
            }
        }

        protected abstract void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData);
    }

    private sealed class AesGcmAead(ReadOnlySpan<byte> key) : DotNetAead
    {
        private readonly AesGcm _aead = new(key, CipherSuite.TagLength);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Dispose() => _aead.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);
    }

    private sealed class AesCcmAead(ReadOnlySpan<byte> key) : DotNetAead
    {
        private readonly AesCcm _aead = new(key);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Dispose() => _aead.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);
    }

    private sealed class ChaCha20Poly1305Aead(ReadOnlySpan<byte> key) : DotNetAead
    {
        private readonly ChaCha20Poly1305 _aead = new(key);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Encrypt(nonce, data, data, tag, associatedData);

        public override void Dispose() => _aead.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData) =>
            _aead.Decrypt(nonce, data, tag, data, associatedData);
    }
}
