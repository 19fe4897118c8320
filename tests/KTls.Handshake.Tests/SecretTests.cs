using System.Net.Security;
using System.Reflection;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>What is secret does not outlive its use.</summary>
public sealed class SecretTests
{
    [Theory]
    [InlineData(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [InlineData(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    [InlineData(TlsCipherSuite.TLS_AES_128_CCM_SHA256)]
    public void A_disposed_record_layer_holds_no_IV_and_seals_nothing(TlsCipherSuite suite)
    {
        using RecordKeys keys = Keys(suite);
        var sealer = new RecordSealer(keys);
        var opener = new RecordOpener(keys);
        byte[] record = new byte[100];
        int length = sealer.Seal(ContentType.ApplicationData, "hello"u8, record);
        Assert.False(IsCleared(sealer));
        Assert.False(IsCleared(opener));

        sealer.Dispose();
        opener.Dispose();
        Assert.True(IsCleared(sealer));
        Assert.True(IsCleared(opener));
        Assert.Throws<ObjectDisposedException>(() => sealer.Seal(ContentType.ApplicationData, "hello"u8, record));
        Assert.Throws<ObjectDisposedException>(() => opener.Open(record.AsSpan(0, length), out _));
    }

    [Fact]
    public void Disposed_keys_are_zeroed_and_say_nothing()
    {
        RecordKeys keys = Keys(TlsCipherSuite.TLS_AES_256_GCM_SHA384);
        byte[] material = (byte[])Field(Field(keys, "_material"), "_bytes");
        Assert.Contains(material, b => b != 0);
        Assert.DoesNotContain(Convert.ToHexString(material.AsSpan(0, 4)), keys.ToString(), StringComparison.OrdinalIgnoreCase);
        keys.Dispose();
        Assert.All(material, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => keys.Key.ToArray());
    }

    private static RecordKeys Keys(TlsCipherSuite suite)
    {
        CipherSuite found = CipherSuite.Find(suite)!;
        byte[] secret = new byte[found.HashLength];
        new Random(1).NextBytes(secret);
        return new RecordKeys(found, secret);
    }

    private static bool IsCleared(object recordLayer) => Field(recordLayer, "_nonce").Equals(default(RecordNonce));

    private static object Field(object owner, string name) =>
        owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(owner)!;
}
