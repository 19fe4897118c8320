using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>The key schedule, whose shortcuts save time, against .NET's HKDF by the letter of RFC 8446 §7.1.</summary>
public sealed class KeyScheduleTests
{
    private static readonly byte[] Shared = [.. Enumerable.Range(1, 64).Select(i => (byte)i)];

    public static TheoryData<TlsCipherSuite, bool> Schedules() => new()
    {
        { TlsCipherSuite.TLS_AES_128_GCM_SHA256, false },
        { TlsCipherSuite.TLS_AES_128_GCM_SHA256, true },
        { TlsCipherSuite.TLS_AES_256_GCM_SHA384, false },
        { TlsCipherSuite.TLS_AES_256_GCM_SHA384, true },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Secrets_follow_the_RFC(TlsCipherSuite id, bool hasKey)
    {
        CipherSuite suite = CipherSuite.Find(id)!;
        byte[] zeros = new byte[suite.HashLength];
        byte[] key = hasKey ? [.. Shared.Reverse()] : zeros;
        byte[] transcript = CryptographicOperations.HashData(suite.Hash, "hello"u8);
        using var schedule = new KeySchedule(suite, hasKey ? key : default);

        byte[] early = HKDF.Extract(suite.Hash, key, zeros);
        Assert.Equal(early, schedule.Current.ToArray());
        AssertDerived(schedule, suite, early, transcript);

        schedule.EnterHandshake(Shared);
        byte[] handshake = HKDF.Extract(suite.Hash, Shared, Derived(suite, early));
        Assert.Equal(handshake, schedule.Current.ToArray());
        AssertDerived(schedule, suite, handshake, transcript);

        schedule.EnterMaster();
        byte[] master = HKDF.Extract(suite.Hash, zeros, Derived(suite, handshake));
        Assert.Equal(master, schedule.Current.ToArray());
        AssertDerived(schedule, suite, master, transcript);
    }

    [Theory]
    [InlineData("SHA256")]
    [InlineData("SHA384")]
    public void Labels_expanded_together_are_those_expanded_alone(string name)
    {
        var hash = new HashAlgorithmName(name);
        byte[] secret = Shared[..48];
        byte[] context = new byte[48];
        using var hmac = Hmac.Create(hash);
        hmac.TakeKey(secret);
        int hashLength = CryptographicOperations.HashData(hash, []).Length;
        for (int length = 1; length <= hashLength; length++)
        {
            byte[] together = new byte[length];
            HkdfLabel.Expand(hmac, "key"u8, context.AsSpan(0, length), together);
            Assert.Equal(Expand(hash, secret, "key", context[..length], length), together);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => HkdfLabel.Expand(hmac, "key"u8, default, new byte[hashLength + 1]));
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_AES_128_GCM_SHA256, 16)]
    [InlineData(TlsCipherSuite.TLS_AES_128_CCM_SHA256, 16)]
    [InlineData(TlsCipherSuite.TLS_AES_256_GCM_SHA384, 32)]
    [InlineData(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, 32)]
    public void Record_keys_follow_the_RFC(TlsCipherSuite id, int keyLength)
    {
        CipherSuite suite = CipherSuite.Find(id)!;
        byte[] secret = Shared[..suite.HashLength];
        using var keys = new RecordKeys(suite, secret);
        Assert.Equal(Expand(suite.Hash, secret, "key", [], keyLength), keys.Key.ToArray());
        Assert.Equal(Expand(suite.Hash, secret, "iv", [], 12), keys.Iv.ToArray());
    }

    private static void AssertDerived(KeySchedule schedule, CipherSuite suite, byte[] secret, byte[] transcript)
    {
        foreach (string label in new[] { "c hs traffic", "s hs traffic" })
        {
            using SecretBytes derived = schedule.Derive(System.Text.Encoding.ASCII.GetBytes(label), transcript);
            Assert.Equal(Expand(suite.Hash, secret, label, transcript, suite.HashLength), derived.Span.ToArray());
        }
    }

    private static byte[] Derived(CipherSuite suite, byte[] secret) =>
        Expand(suite.Hash, secret, "derived", CryptographicOperations.HashData(suite.Hash, []), suite.HashLength);

    // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel
    private static byte[] Expand(HashAlgorithmName hash, byte[] secret, string label, byte[] context, int length) =>
        HKDF.Expand(hash, secret, length, [.. Tls.U16(length), .. Tls.Vector8(System.Text.Encoding.ASCII.GetBytes("tls13 " + label)), .. Tls.Vector8(context)]);
}
