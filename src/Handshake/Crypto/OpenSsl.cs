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

    private const int GetTag = 0x10;
    private const int SetTag = 0x11;
    private const int SameDirection = -1;

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
