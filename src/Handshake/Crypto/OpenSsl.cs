using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The functions of OpenSSL that we call ourselves, in the very library that .NET uses. .NET looks an algorithm up by its name whenever
/// it makes an object, and makes one for each key, which takes several times as long as to hash the few bytes of a handshake.
/// </summary>
internal static partial class OpenSsl
{
    /// <summary>A switch of the AppContext; false: .NET's own classes do the work.</summary>
    public const string Switch = "KTls.Handshake.UseOpenSsl";

    // OpenSSL 3 in all its versions; where .NET uses another, .NET's own classes do the work.
    private const string Library = "libcrypto.so.3";
    private const int MajorVersion = 3;

    private const int Now = 2; // RTLD_NOW
    private const int OnlyIfLoaded = 4; // RTLD_NOLOAD

    // Asked of .NET first: it loads and initialises the library, without a clean-up at exit that other threads would not survive.
    private static readonly bool IsUsable =
        OperatingSystem.IsLinux()
        && (!AppContext.TryGetSwitch(Switch, out bool isWanted) || isWanted)
        && IsLoaded(SafeEvpPKeyHandle.OpenSslVersion);

    // Looked up once, and never released.
    private static readonly nint Sha256 = FetchDigest("SHA256");
    private static readonly nint Sha384 = FetchDigest("SHA384");
    private static readonly nint Aes128Gcm = FetchCipher("AES-128-GCM");
    private static readonly nint Aes256Gcm = FetchCipher("AES-256-GCM");
    private static readonly nint ChaCha20Poly1305 = FetchCipher("ChaCha20-Poly1305");

    /// <summary>OpenSSL's hash; 0: it is not usable here.</summary>
    public static nint Digest(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA256 ? Sha256 : hash == HashAlgorithmName.SHA384 ? Sha384 : 0;

    /// <summary>OpenSSL's AEAD; 0: it is not usable here.</summary>
    public static nint Cipher(AeadAlgorithm algorithm, int keyLength) => (algorithm, keyLength) switch
    {
        (AeadAlgorithm.AesGcm, 16) => Aes128Gcm,
        (AeadAlgorithm.AesGcm, 32) => Aes256Gcm,
        (AeadAlgorithm.ChaCha20Poly1305, 32) => ChaCha20Poly1305,
        _ => 0,
    };

    // The library must be there already, and of the version that .NET has: another one, from the application's folder or beside an
    // executable that OpenSSL is linked into, would have settings of its own and a clean-up at exit.
    private static bool IsLoaded(long version)
    {
        if (version >> 28 != MajorVersion)
        {
            return false;
        }

        try
        {
            nint library = dlopen(Library, Now | OnlyIfLoaded);
            if (library == 0 || !HasHmac(library))
            {
                return false;
            }

            NativeLibrary.SetDllImportResolver(typeof(OpenSsl).Assembly, (name, _, _) => name == Library ? library : 0);
            return OpenSSL_version_num() == (nuint)version;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or InvalidOperationException)
        {
            // dlopen is not in libc before glibc 2.34, or somebody else resolves the libraries of this assembly.
            return false;
        }
    }

    // The one thing that OpenSSL 3 can be built without (no-deprecated).
    private static bool HasHmac(nint library)
    {
        foreach (string function in (ReadOnlySpan<string>)[nameof(HMAC_CTX_new), nameof(HMAC_CTX_free), nameof(HMAC_Init_ex), nameof(HMAC_Update), nameof(HMAC_Final)])
        {
            if (!NativeLibrary.TryGetExport(library, function, out _))
            {
                return false;
            }
        }

        return true;
    }

    // A provider may lack an algorithm: FIPS has no ChaCha20.
    private static nint FetchDigest(string name)
    {
        nint digest = IsUsable ? EVP_MD_fetch(0, name, 0) : 0;
        ClearErrors(digest);
        return digest;
    }

    private static nint FetchCipher(string name)
    {
        nint cipher = IsUsable ? EVP_CIPHER_fetch(0, name, 0) : 0;
        ClearErrors(cipher);
        return cipher;
    }

    // Errors stay in a list of the thread, where whoever uses OpenSSL next would find ours.
    private static void ClearErrors(nint result)
    {
        if (IsUsable && result == 0)
        {
            ERR_clear_error();
        }
    }

    private static void Check(int result)
    {
        if (result != 1)
        {
            ERR_clear_error();
            throw new CryptographicException("OpenSSL failed.");
        }
    }
}
