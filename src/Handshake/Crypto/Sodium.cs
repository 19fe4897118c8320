using System.Runtime.InteropServices;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The functions of libsodium that we call ourselves. NSec has none for ML-KEM; its X25519 keeps every key in a guarded
/// memory mapping of its own, which takes longer than the agreement itself.
/// </summary>
internal static partial class Sodium
{
    public const int X25519Length = 32;
    public const int MLKem768SeedLength = 64;
    public const int MLKem768EncapsulationKeyLength = 1184;
    public const int MLKem768DecapsulationKeyLength = 2400;
    public const int MLKem768CiphertextLength = 1088;
    public const int MLKem768SharedSecretLength = 32;

    private const string Library = "libsodium";

    // Chooses the code for this processor; may be called by several threads, and after NSec has called it.
    static Sodium()
    {
        if (sodium_init() < 0)
        {
            throw new InvalidOperationException("libsodium cannot be initialised.");
        }
    }

    /// <summary>Whether this libsodium has ML-KEM (1.0.22 and later).</summary>
    public static bool HasMLKem768 { get; } = FindMLKem768();

    /// <summary>Fills a buffer from the system's generator, for secrets. OpenSSL's asks the system, too, each time, whether the process was forked.</summary>
    public static void Random(Span<byte> buffer) => randombytes_buf(buffer, (nuint)buffer.Length);

    /// <summary>The public key of a private one (RFC 7748 §6.1).</summary>
    public static void X25519PublicKey(ReadOnlySpan<byte> privateKey, Span<byte> publicKey)
    {
        Check(privateKey, X25519Length);
        Check(publicKey, X25519Length);
        if (crypto_scalarmult_curve25519_base(publicKey, privateKey) != 0)
        {
            throw new InvalidOperationException("libsodium made no public key.");
        }
    }

    /// <summary>The shared secret (RFC 7748 §6.1); false when it is all zeros, because of a point of small order.</summary>
    public static bool TryX25519(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> peerKey, Span<byte> sharedSecret)
    {
        Check(privateKey, X25519Length);
        Check(peerKey, X25519Length);
        Check(sharedSecret, X25519Length);
        return crypto_scalarmult_curve25519(sharedSecret, privateKey, peerKey) == 0;
    }

    /// <summary>ML-KEM.KeyGen_internal (FIPS 203 §6.1) with the seed d + z.</summary>
    public static void MLKem768GenerateKey(ReadOnlySpan<byte> seed, Span<byte> encapsulationKey, Span<byte> decapsulationKey)
    {
        Check(seed, MLKem768SeedLength);
        Check(encapsulationKey, MLKem768EncapsulationKeyLength);
        Check(decapsulationKey, MLKem768DecapsulationKeyLength);
        if (crypto_kem_mlkem768_seed_keypair(encapsulationKey, decapsulationKey, seed) != 0)
        {
            throw new InvalidOperationException("libsodium made no ML-KEM key.");
        }
    }

    /// <summary>ML-KEM.Encaps (FIPS 203); false when the key does not pass the modulus check (§7.2).</summary>
    public static bool TryMLKem768Encapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        Check(encapsulationKey, MLKem768EncapsulationKeyLength);
        Check(ciphertext, MLKem768CiphertextLength);
        Check(sharedSecret, MLKem768SharedSecretLength);
        return crypto_kem_mlkem768_enc(ciphertext, sharedSecret, encapsulationKey) == 0;
    }

    /// <summary>ML-KEM.Decaps (FIPS 203), which has a result for every ciphertext.</summary>
    public static void MLKem768Decapsulate(ReadOnlySpan<byte> decapsulationKey, ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret)
    {
        Check(decapsulationKey, MLKem768DecapsulationKeyLength);
        Check(ciphertext, MLKem768CiphertextLength);
        Check(sharedSecret, MLKem768SharedSecretLength);
        if (crypto_kem_mlkem768_dec(sharedSecret, ciphertext, decapsulationKey) != 0)
        {
            throw new InvalidOperationException("libsodium refuses an ML-KEM key of its own.");
        }
    }

    // libsodium reads and writes as much as it expects, whatever the span's length.
    private static void Check(ReadOnlySpan<byte> buffer, int length) => ArgumentOutOfRangeException.ThrowIfNotEqual(buffer.Length, length, nameof(buffer));

    private static bool FindMLKem768()
    {
        try
        {
            return crypto_kem_mlkem768_publickeybytes() == MLKem768EncapsulationKeyLength;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    private static partial void randombytes_buf(Span<byte> buf, nuint size);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519(Span<byte> q, ReadOnlySpan<byte> n, ReadOnlySpan<byte> p);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519_base(Span<byte> q, ReadOnlySpan<byte> n);

    [LibraryImport(Library)]
    private static partial nuint crypto_kem_mlkem768_publickeybytes();

    [LibraryImport(Library)]
    private static partial int crypto_kem_mlkem768_seed_keypair(Span<byte> pk, Span<byte> sk, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    private static partial int crypto_kem_mlkem768_enc(Span<byte> ct, Span<byte> ss, ReadOnlySpan<byte> pk);

    [LibraryImport(Library)]
    private static partial int crypto_kem_mlkem768_dec(Span<byte> ss, ReadOnlySpan<byte> ct, ReadOnlySpan<byte> sk);
}
