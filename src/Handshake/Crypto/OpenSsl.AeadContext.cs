using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

internal static partial class OpenSsl
{
    private const int GetTag = 0x10; // EVP_CTRL_AEAD_GET_TAG
    private const int SetTag = 0x11; // EVP_CTRL_AEAD_SET_TAG
    private const int SameDirection = -1;

    /// <summary>An AEAD with one key, in one direction (EVP_CIPHER_CTX). Works in place.</summary>
    public sealed class AeadContext : SafeHandle
    {
        public AeadContext(nint cipher, ReadOnlySpan<byte> key, bool isSealing)
            : base(0, ownsHandle: true)
        {
            SetHandle(EVP_CIPHER_CTX_new());
            Check(IsInvalid ? 0 : 1);
            Check(EVP_CipherInit_ex(this, cipher, 0, key, default, isSealing ? 1 : 0));
        }

        public override bool IsInvalid => handle == 0;

        public void Seal(ReadOnlySpan<byte> nonce, Span<byte> data, Span<byte> tag, ReadOnlySpan<byte> associatedData)
        {
            Transform(nonce, data, tag, associatedData);
            Check(Finish());
            Check(EVP_CIPHER_CTX_ctrl(this, GetTag, tag.Length, tag));
        }

        /// <summary>Opens; false when the tag does not fit, and then the data is not to be used.</summary>
        public bool TryOpen(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData)
        {
            Transform(nonce, data, tag, associatedData);
            Check(EVP_CIPHER_CTX_ctrl(this, SetTag, tag.Length, tag));
            int fits = Finish();
            ClearErrors(fits);
            return fits == 1;
        }

        protected override bool ReleaseHandle()
        {
            EVP_CIPHER_CTX_free(handle);
            return true;
        }

        private void Transform(ReadOnlySpan<byte> nonce, Span<byte> data, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associatedData)
        {
            // OpenSSL reads a whole nonce, keeps the last one when there is none, and takes shorter tags, too.
            ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, CipherSuite.NonceLength, nameof(nonce));
            ArgumentOutOfRangeException.ThrowIfNotEqual(tag.Length, CipherSuite.TagLength, nameof(tag));
            Check(EVP_CipherInit_ex(this, 0, 0, default, nonce, SameDirection));
            Check(EVP_CipherUpdate(this, default, out _, associatedData, associatedData.Length));
            if (!data.IsEmpty)
            {
                Check(EVP_CipherUpdate(this, data, out _, data, data.Length));
            }
        }

        // An AEAD of ours has nothing left to give, but OpenSSL wants a place for it.
        private int Finish()
        {
            Span<byte> nothing = stackalloc byte[1];
            return EVP_CipherFinal_ex(this, nothing, out _);
        }
    }
}
