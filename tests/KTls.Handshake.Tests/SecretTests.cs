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
        Memory<byte> material = Content(Field(keys, "_material"));
        Assert.Contains(material.ToArray(), b => b != 0);
        Assert.DoesNotContain(Convert.ToHexString(material.Span[..4]), keys.ToString(), StringComparison.OrdinalIgnoreCase);
        keys.Dispose();
        Assert.All(material.ToArray(), b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => keys.Key.ToArray());
    }

    [Fact]
    public void Secrets_share_no_byte()
    {
        var random = new Random(1);
        var secrets = new List<(SecretBytes Secret, byte[] Expected)>();
        for (int i = 0; i < 500; i++)
        {
            byte[] expected = new byte[random.Next(0, i % 50 == 0 ? 8000 : 300)];
            random.NextBytes(expected);
            secrets.Add((new SecretBytes(expected), expected));
            if (i % 3 == 0)
            {
                // What one leaves behind is not another one's either.
                (SecretBytes gone, _) = secrets[i / 2];
                Memory<byte> content = Content(gone);
                gone.Dispose();
                secrets[i / 2] = (gone, new byte[content.Length]);
            }
        }

        Assert.All(secrets, pair => Assert.Equal(pair.Expected, Content(pair.Secret).ToArray()));
    }

    [Fact]
    public void A_session_keeps_no_memory_but_that_of_its_own_secrets()
    {
        CipherSuite suite = CipherSuite.Find(TlsCipherSuite.TLS_AES_256_GCM_SHA384)!;
        var session = new TlsSession13(suite);
        session.SendSecret.Fill(1);
        session.ReceiveSecret.Fill(2);
        session.ExporterSecret.Fill(3);
        session.ResumptionSecret.Fill(4);
        Assert.Equal([1, 2, 3], new[] { session.SendSecret[^1], session.ReceiveSecret[^1], session.ExporterSecret[0] });
        Assert.Equal(3 * suite.HashLength, ((byte[])Field(Field(session, "_secrets"), "_piece")).Length);
        Assert.Equal(suite.HashLength, ((byte[])Field(Field(session, "_resumptionSecret"), "_piece")).Length);

        session.UpdateSendKeys();
        Assert.Equal([2, 3], new[] { session.ReceiveSecret[0], session.ExporterSecret[0] });
        Memory<byte>[] kept = [Content(Field(session, "_secrets")), Content(Field(session, "_resumptionSecret"))];
        session.Dispose();
        Assert.All(kept, content => Assert.All(content.ToArray(), b => Assert.Equal(0, b)));
        Assert.Throws<ObjectDisposedException>(() => session.GetSendKeys());
    }

    private static Memory<byte> Content(object secret) =>
        ((byte[])Field(secret, "_piece")).AsMemory((int)Field(secret, "_start"), (int)Field(secret, "_length"));

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
