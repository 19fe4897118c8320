using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>OpenSSL's functions, called by ourselves, and .NET's classes, which do the work where those cannot be had, give the same.</summary>
public sealed class ProviderTests
{
    private static readonly int[] Lengths = [0, 1, 16, 55, 64, 129, 1000, 16401];

    public static TheoryData<string> Hashes => ["SHA256", "SHA384"];

    public static TheoryData<string, int> Aeads => new()
    {
        { nameof(AeadAlgorithm.AesGcm), 16 },
        { nameof(AeadAlgorithm.AesGcm), 32 },
        { nameof(AeadAlgorithm.ChaCha20Poly1305), 32 },
    };

    [Fact]
    public void This_machine_has_OpenSSL_so_what_is_tested_here_is_what_servers_use()
    {
        Assert.NotEqual(0, OpenSsl.Digest(HashAlgorithmName.SHA256));
        Assert.NotEqual(0, OpenSsl.Digest(HashAlgorithmName.SHA384));
        Assert.Equal(0, OpenSsl.Digest(HashAlgorithmName.SHA512));
        Assert.NotEqual(0, OpenSsl.Cipher(AeadAlgorithm.AesGcm, 16));
        Assert.NotEqual(0, OpenSsl.Cipher(AeadAlgorithm.AesGcm, 32));
        Assert.NotEqual(0, OpenSsl.Cipher(AeadAlgorithm.ChaCha20Poly1305, 32));
        Assert.Equal(0, OpenSsl.Cipher(AeadAlgorithm.AesCcm, 16));
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Digests_go_on_after_they_were_asked(string name)
    {
        var hash = new HashAlgorithmName(name);
        foreach (Func<Digest> create in new Func<Digest>[] { () => Digest.Create(hash), () => new Digest.DotNetDigest(hash) })
        {
            using Digest digest = create();
            byte[] all = [];
            byte[] buffer = new byte[CipherSuite.MaxHashLength];
            foreach (int length in Lengths)
            {
                byte[] piece = Bytes(length);
                digest.Append(piece);
                all = [.. all, .. piece];
                Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Current(buffer).ToArray());
                Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Current(buffer).ToArray());
            }

            Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Finish(buffer).ToArray());
            Assert.Equal(CryptographicOperations.HashData(hash, []), digest.Current(buffer).ToArray());
            Assert.Throws<ArgumentOutOfRangeException>(() => digest.Current(new byte[digest.Length - 1]));
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Hmacs_take_one_key_after_the_other(string name)
    {
        var hash = new HashAlgorithmName(name);
        foreach (Func<Hmac> create in new Func<Hmac>[] { () => Hmac.Create(hash), () => new Hmac.DotNetHmac(hash) })
        {
            using Hmac hmac = create();
            byte[] output = new byte[hmac.Length];
            foreach (int keyLength in new[] { 32, 0, 48, 200, 0, 1 })
            {
                byte[] key = Bytes(keyLength);
                hmac.TakeKey(key);
                foreach (int length in Lengths)
                {
                    hmac.Compute(Bytes(length), output);
                    Assert.Equal(CryptographicOperations.HmacData(hash, key, Bytes(length)), output);
                }
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => hmac.Compute([], new byte[hmac.Length - 1]));
        }
    }

    [Fact]
    public void A_thread_uses_its_hmacs_again_without_the_key()
    {
        byte[] key = Bytes(32);
        Hmac first;
        using (var keyed = new KeyedHmac(HashAlgorithmName.SHA256, key))
        {
            first = keyed.Hmac;
            using var other = new KeyedHmac(HashAlgorithmName.SHA256, Bytes(5));
            using var longer = new KeyedHmac(HashAlgorithmName.SHA384, Bytes(5));
            Assert.NotSame(first, other.Hmac);
            Assert.NotSame(first, longer.Hmac);
            AssertKeyed(key, first);
        }

        AssertKeyed([], first);
        using var again = new KeyedHmac(HashAlgorithmName.SHA256, Bytes(7));
        Assert.Same(first, again.Hmac);
        AssertKeyed(Bytes(7), first);

        static void AssertKeyed(byte[] key, Hmac hmac)
        {
            byte[] output = new byte[hmac.Length];
            hmac.Compute(Bytes(3), output);
            Assert.Equal(HMACSHA256.HashData(key, Bytes(3)), output);
        }
    }

    [Theory]
    [MemberData(nameof(Aeads))]
    public void Aeads_open_what_the_other_has_sealed(string name, int keyLength)
    {
        AeadAlgorithm algorithm = Enum.Parse<AeadAlgorithm>(name);
        byte[] key = Bytes(keyLength);
        using Aead sealing = Aead.Create(algorithm, key, isSealing: true);
        using Aead opening = Aead.Create(algorithm, key, isSealing: false);
        using Aead other = Aead.CreateDotNet(algorithm, key);
        Assert.NotEqual(other.GetType(), sealing.GetType());
        foreach (int length in Lengths)
        {
            byte[] nonce = [.. Enumerable.Repeat((byte)length, CipherSuite.NonceLength)];
            byte[] associated = Bytes(13);
            byte[] data = Bytes(length);
            byte[] tag = new byte[CipherSuite.TagLength];
            sealing.Encrypt(nonce, data, tag, associated);
            byte[] wrong = [.. data];
            Assert.Throws<AuthenticationTagMismatchException>(() => opening.Decrypt(nonce, wrong, [.. tag[1..], 0], associated));
            Assert.All(wrong, b => Assert.Equal(0, b));
            Assert.Throws<AuthenticationTagMismatchException>(() => opening.Decrypt(nonce, [.. data], tag, [.. associated[1..], 99]));

            byte[] opened = [.. data];
            opening.Decrypt(nonce, opened, tag, associated);
            Assert.Equal(Bytes(length), opened);
            other.Decrypt(nonce, data, tag, associated);
            Assert.Equal(Bytes(length), data);

            other.Encrypt(nonce, data, tag, associated);
            opening.Decrypt(nonce, data, tag, associated);
            Assert.Equal(Bytes(length), data);
        }
    }

    [Fact]
    public void What_is_disposed_is_of_no_use()
    {
        Aead aead = Aead.Create(AeadAlgorithm.AesGcm, Bytes(16), isSealing: true);
        Digest digest = Digest.Create(HashAlgorithmName.SHA256);
        var hmac = Hmac.Create(HashAlgorithmName.SHA256);
        aead.Dispose();
        digest.Dispose();
        hmac.Dispose();
        Assert.Throws<ObjectDisposedException>(() => aead.Encrypt(Bytes(12), Bytes(3), new byte[16], Bytes(5)));
        Assert.Throws<ObjectDisposedException>(() => digest.Append(Bytes(3)));
        Assert.Throws<ObjectDisposedException>(() => hmac.TakeKey(Bytes(3)));
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];
}
