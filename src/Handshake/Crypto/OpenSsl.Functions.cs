using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

internal static partial class OpenSsl
{
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string file, int mode);

    [LibraryImport(Library)]
    private static partial nuint OpenSSL_version_num();

    [LibraryImport(Library)]
    private static partial void ERR_clear_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_MD_fetch(nint context, string algorithm, nint properties);

    [LibraryImport(Library)]
    private static partial nint EVP_MD_CTX_new();

    [LibraryImport(Library)]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_MD_CTX_copy_ex(DigestContext to, DigestContext from);

    [LibraryImport(Library)]
    private static partial int EVP_DigestInit_ex(DigestContext context, nint digest, nint engine);

    [LibraryImport(Library)]
    private static partial int EVP_DigestUpdate(DigestContext context, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    private static partial int EVP_DigestFinal_ex(DigestContext context, Span<byte> hash, nint length);

    [LibraryImport(Library)]
    private static partial nint HMAC_CTX_new();

    [LibraryImport(Library)]
    private static partial void HMAC_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int HMAC_Init_ex(HmacContext context, ReadOnlySpan<byte> key, int length, nint digest, nint engine);

    [LibraryImport(Library)]
    private static partial int HMAC_Update(HmacContext context, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    private static partial int HMAC_Final(HmacContext context, Span<byte> output, nint length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_CIPHER_fetch(nint context, string algorithm, nint properties);

    [LibraryImport(Library)]
    private static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(Library)]
    private static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_CipherInit_ex(AeadContext context, nint cipher, nint engine, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, int isSealing);

    [LibraryImport(Library)]
    private static partial int EVP_CipherUpdate(AeadContext context, Span<byte> output, out int outputLength, ReadOnlySpan<byte> input, int inputLength);

    [LibraryImport(Library)]
    private static partial int EVP_CipherFinal_ex(AeadContext context, Span<byte> output, out int outputLength);

    [LibraryImport(Library)]
    private static partial int EVP_CIPHER_CTX_ctrl(AeadContext context, int control, int length, Span<byte> value);

    [LibraryImport(Library)]
    private static partial int EVP_CIPHER_CTX_ctrl(AeadContext context, int control, int length, ReadOnlySpan<byte> value);
}
