using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

internal static partial class OpenSsl
{
    /// <summary>A hash that goes on (EVP_MD_CTX).</summary>
    public sealed class DigestContext : SafeHandle
    {
        public DigestContext()
            : base(0, ownsHandle: true)
        {
            SetHandle(EVP_MD_CTX_new());
            Check(IsInvalid ? 0 : 1);
        }

        public override bool IsInvalid => handle == 0;

        public void Start(nint digest) => Check(EVP_DigestInit_ex(this, digest, 0));

        public void Append(ReadOnlySpan<byte> data) => Check(EVP_DigestUpdate(this, data, (nuint)data.Length));

        public void CopyTo(DigestContext other) => Check(EVP_MD_CTX_copy_ex(other, this));

        /// <summary>Ends; <see cref="Start"/> or <see cref="CopyTo"/> begin again.</summary>
        public void Finish(Span<byte> hash) => Check(EVP_DigestFinal_ex(this, hash, 0));

        protected override bool ReleaseHandle()
        {
            EVP_MD_CTX_free(handle);
            return true;
        }
    }
}
