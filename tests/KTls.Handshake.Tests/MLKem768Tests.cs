using System.Security.Cryptography;
using System.Text.Json;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>
/// ML-KEM-768 of each provider that this machine has, .NET's and libsodium's, against the others and against vectors
/// (Wycheproof's: a right ciphertext, a random and a changed one, which are rejected implicitly).
/// </summary>
public sealed class MLKem768Tests
{
    private static readonly Vector[] Vectors = JsonSerializer.Deserialize<Vector[]>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "mlkem768.json")), JsonSerializerOptions.Web)!;

    private static Provider[] Providers => MLKem.IsSupported ? [Provider.Sodium, Provider.Platform] : [Provider.Sodium];

    public enum Provider
    {
        Sodium,
        Platform,
    }

    public static TheoryData<Provider, string> EveryVector()
    {
        var data = new TheoryData<Provider, string>();
        foreach (Provider provider in Providers)
        {
            foreach (Vector vector in Vectors)
            {
                data.Add(provider, vector.Name);
            }
        }

        return data;
    }

    public static TheoryData<Provider, Provider> EveryPair()
    {
        var data = new TheoryData<Provider, Provider>();
        foreach (Provider key in Providers)
        {
            foreach (Provider encapsulator in Providers)
            {
                data.Add(key, encapsulator);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryVector))]
    public void A_provider_follows_the_vectors(Provider provider, string name)
    {
        Vector vector = Vectors.Single(v => v.Name == name);
        byte[] seed = Convert.FromHexString(vector.Seed);
        byte[] encapsulationKey = new byte[MLKem768.EncapsulationKeyLength];
        using MLKem768 key = provider == Provider.Sodium ? new SodiumMLKem768(seed, encapsulationKey) : new PlatformMLKem768(seed, encapsulationKey);
        Assert.Equal(vector.EncapsulationKeySha256, Convert.ToHexStringLower(SHA256.HashData(encapsulationKey)));
        Assert.Equal(vector.SharedSecret, Convert.ToHexStringLower(Decapsulate(key, Convert.FromHexString(vector.Ciphertext))));
    }

    [Theory]
    [MemberData(nameof(EveryPair))]
    public void Providers_understand_each_other(Provider keyProvider, Provider encapsulator)
    {
        byte[] encapsulationKey = new byte[MLKem768.EncapsulationKeyLength];
        using MLKem768 key = Generate(keyProvider, encapsulationKey);
        byte[] ciphertext = new byte[MLKem768.CiphertextLength];
        byte[] secret = new byte[MLKem768.SharedSecretLength];
        Assert.True(TryEncapsulate(encapsulator, encapsulationKey, ciphertext, secret));
        Assert.Contains(secret, b => b != 0);
        Assert.Equal(secret, Decapsulate(key, ciphertext));

        // The modulus check (FIPS 203 §7.2).
        encapsulationKey[1] |= 0x0f;
        encapsulationKey[0] = 0xff;
        Assert.False(TryEncapsulate(encapsulator, encapsulationKey, ciphertext, secret));
    }

    [Fact]
    public void The_preferred_provider_is_the_platform()
    {
        using MLKem768 key = MLKem768.Generate(new byte[MLKem768.EncapsulationKeyLength]);
        Assert.IsType(MLKem.IsSupported ? typeof(PlatformMLKem768) : typeof(SodiumMLKem768), key);
    }

    /// <summary>The memory of a key is used again, but never by two at once.</summary>
    [Fact]
    public void Keys_do_not_share_memory()
    {
        byte[] first = new byte[MLKem768.EncapsulationKeyLength];
        byte[] second = new byte[MLKem768.EncapsulationKeyLength];
        MLKem768 disposed = Generate(Provider.Sodium, first);
        disposed.Dispose();
        disposed.Dispose();
        using MLKem768 one = Generate(Provider.Sodium, first);
        using MLKem768 other = Generate(Provider.Sodium, second);
        disposed.Dispose();
        byte[] ciphertext = new byte[MLKem768.CiphertextLength];
        byte[] secret = new byte[MLKem768.SharedSecretLength];
        Assert.True(TryEncapsulate(Provider.Sodium, first, ciphertext, secret));
        Assert.Equal(secret, Decapsulate(one, ciphertext));
        Assert.True(TryEncapsulate(Provider.Sodium, second, ciphertext, secret));
        Assert.Equal(secret, Decapsulate(other, ciphertext));
        Assert.Throws<ObjectDisposedException>(() => Decapsulate(disposed, ciphertext));
    }

    private static MLKem768 Generate(Provider provider, byte[] encapsulationKey) =>
        provider == Provider.Sodium ? new SodiumMLKem768(encapsulationKey) : new PlatformMLKem768(encapsulationKey);

    private static bool TryEncapsulate(Provider provider, byte[] encapsulationKey, byte[] ciphertext, byte[] secret) => provider == Provider.Sodium
        ? SodiumMLKem768.TryEncapsulate(encapsulationKey, ciphertext, secret)
        : PlatformMLKem768.TryEncapsulate(encapsulationKey, ciphertext, secret);

    private static byte[] Decapsulate(MLKem768 key, byte[] ciphertext)
    {
        byte[] secret = new byte[MLKem768.SharedSecretLength];
        key.Decapsulate(ciphertext, secret);
        return secret;
    }

    private sealed record Vector(string Name, string Seed, string EncapsulationKeySha256, string Ciphertext, string SharedSecret);
}
