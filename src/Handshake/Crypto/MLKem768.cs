using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>A decapsulation key of ML-KEM-768 (FIPS 203): from .NET where the platform has it, else from libsodium.</summary>
internal abstract class MLKem768 : IDisposable
{
    public const int EncapsulationKeyLength = Sodium.MLKem768EncapsulationKeyLength;
    public const int CiphertextLength = Sodium.MLKem768CiphertextLength;
    public const int SharedSecretLength = Sodium.MLKem768SharedSecretLength;

    public static bool IsSupported { get; } = MLKem.IsSupported || Sodium.HasMLKem768;

    /// <summary>A new key; writes the encapsulation key that belongs to it.</summary>
    public static MLKem768 Generate(Span<byte> encapsulationKey) =>
        MLKem.IsSupported ? new PlatformMLKem768(encapsulationKey) : new SodiumMLKem768(encapsulationKey);

    /// <summary>A new shared secret and its ciphertext; false when the key does not pass the modulus check (FIPS 203 §7.2).</summary>
    public static bool TryEncapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> sharedSecret) => MLKem.IsSupported
        ? PlatformMLKem768.TryEncapsulate(encapsulationKey, ciphertext, sharedSecret)
        : SodiumMLKem768.TryEncapsulate(encapsulationKey, ciphertext, sharedSecret);

    /// <summary>The shared secret of a ciphertext. There is one for each; a wrong one comes out as a wrong secret.</summary>
    public abstract void Decapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret);

    public abstract void Dispose();
}

/// <summary>ML-KEM-768 from .NET, which has it from OpenSSL 3.5 on.</summary>
internal sealed class PlatformMLKem768 : MLKem768
{
    private readonly MLKem _key;

    public PlatformMLKem768(Span<byte> encapsulationKey)
        : this(MLKem.GenerateKey(MLKemAlgorithm.MLKem768), encapsulationKey)
    {
    }

    /// <summary>With a known seed: for tests against published vectors.</summary>
    internal PlatformMLKem768(ReadOnlySpan<byte> seed, Span<byte> encapsulationKey)
        : this(MLKem.ImportPrivateSeed(MLKemAlgorithm.MLKem768, seed), encapsulationKey)
    {
    }

    private PlatformMLKem768(MLKem key, Span<byte> encapsulationKey)
    {
        _key = key;
        _key.ExportEncapsulationKey(encapsulationKey);
    }

    public static new bool TryEncapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> sharedSecret)
    {
        MLKem key;
        try
        {
            // The import checks the modulus.
            key = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, encapsulationKey);
        }
        catch (CryptographicException)
        {
            return false;
        }

        using (key)
        {
            key.Encapsulate(ciphertext, sharedSecret);
        }

        return true;
    }

    public override void Decapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret) => _key.Decapsulate(ciphertext, sharedSecret);

    public override void Dispose() => _key.Dispose();
}

/// <summary>ML-KEM-768 from libsodium.</summary>
internal sealed class SodiumMLKem768 : MLKem768
{
    // One key's memory is kept for the next one: pinned arrays of this size would wait for the rarest of collections.
    private static byte[]? _spare;

    private byte[]? _key = Interlocked.Exchange(ref _spare, null) ?? GC.AllocateUninitializedArray<byte>(Sodium.MLKem768DecapsulationKeyLength, pinned: true);

    public SodiumMLKem768(Span<byte> encapsulationKey)
    {
        Span<byte> seed = stackalloc byte[Sodium.MLKem768SeedLength];
        RandomNumberGenerator.Fill(seed);
        Sodium.MLKem768GenerateKey(seed, encapsulationKey, _key);
        CryptographicOperations.ZeroMemory(seed);
    }

    /// <summary>With a known seed: for tests against published vectors.</summary>
    internal SodiumMLKem768(ReadOnlySpan<byte> seed, Span<byte> encapsulationKey) => Sodium.MLKem768GenerateKey(seed, encapsulationKey, _key);

    public static new bool TryEncapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> sharedSecret) =>
        Sodium.TryMLKem768Encapsulate(encapsulationKey, ciphertext, sharedSecret);

    public override void Decapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> sharedSecret)
    {
        ObjectDisposedException.ThrowIf(_key is null, this);
        Sodium.MLKem768Decapsulate(_key, ciphertext, sharedSecret);
    }

    public override void Dispose()
    {
        byte[]? key = Interlocked.Exchange(ref _key, null);
        if (key is not null)
        {
            CryptographicOperations.ZeroMemory(key);
            Volatile.Write(ref _spare, key);
        }
    }
}
