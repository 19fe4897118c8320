using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

internal static partial class OpenSsl
{
    /// <summary>HMAC with one key after the other (HMAC_CTX).</summary>
    public sealed class HmacContext : SafeHandle
    {
        public HmacContext()
            : base(0, ownsHandle: true)
        {
            SetHandle(HMAC_CTX_new());
            Check(IsInvalid ? 0 : 1);
        }

        public override bool IsInvalid => handle == 0;

        /// <summary>Takes in a key, and overwrites what is left of the one before.</summary>
        /// <param name="digest">The hash.</param>
        /// <param name="key">The key, not empty: OpenSSL would keep the one before.</param>
        public void TakeKey(nint digest, ReadOnlySpan<byte> key) => Check(HMAC_Init_ex(this, key, key.Length, digest, 0));

        /// <summary>Computes one HMAC with the key that was taken in.</summary>
        public void Compute(ReadOnlySpan<byte> data, Span<byte> output)
        {
            Check(HMAC_Init_ex(this, default, 0, 0, 0));
            Check(HMAC_Update(this, data, (nuint)data.Length));
            Check(HMAC_Final(this, output, 0));
        }

        protected override bool ReleaseHandle()
        {
            HMAC_CTX_free(handle);
            return true;
        }
    }
}
