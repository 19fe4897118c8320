using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>Keying material for applications (RFC 8446 §7.5, RFC 5705), computed here once more from the key log.</summary>
public sealed class ExporterTests
{
    private static readonly byte[] Label = "EXPORTER-test"u8.ToArray();

    public static TheoryData<TlsCipherSuite> Suites { get; } =
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ];

    [Theory]
    [MemberData(nameof(Suites))]
    public void Both_ends_export_the_same_and_what_the_RFC_says(TlsCipherSuite suite)
    {
        var log = new List<string>();
        using HandshakePair pair = Pair(suite, log);
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        string[] line = log.Single(one => one.StartsWith("EXPORTER_SECRET", StringComparison.Ordinal) || one.StartsWith("CLIENT_RANDOM", StringComparison.Ordinal)).Split(' ');
        byte[] secret = Convert.FromHexString(line[2]);
        HashAlgorithmName hash = CipherSuite.Find(suite)!.Hash;

        foreach (int length in new[] { 0, 1, 32, 48, 49, 255 * 32 })
        {
            foreach (byte[]? context in new byte[]?[] { null, [], "context"u8.ToArray(), new byte[ushort.MaxValue] })
            {
                byte[] one = Export(client, context, length);
                Assert.Equal(one, Export(server, context, length));
                byte[] expected = client.CanUpdateKeys
                    ? Expected13(hash, secret, context, length)
                    : Expected12(hash, secret, [.. Convert.FromHexString(line[1]), .. pair.ServerRandom], context, length);
                Assert.Equal(expected, one);
            }
        }
    }

    /// <summary>No context is an empty one in TLS 1.3 (RFC 8446 §7.5), but not in TLS 1.2 (RFC 5705 §4).</summary>
    [Theory]
    [MemberData(nameof(Suites))]
    public void Label_context_and_connection_make_a_difference(TlsCipherSuite suite)
    {
        using HandshakePair pair = Pair(suite);
        pair.Run();
        using TlsSession session = pair.Client.TakeSession();
        using HandshakePair otherPair = Pair(suite);
        otherPair.Run();
        using TlsSession other = otherPair.Client.TakeSession();
        byte[] none = Export(session, null, 32);
        Assert.Equal(session.CanUpdateKeys, none.AsSpan().SequenceEqual(Export(session, [], 32)));
        Assert.NotEqual(none, Export(session, [1], 32));
        Assert.NotEqual(none, Export(other, null, 32));
        byte[] byLabel = new byte[32];
        session.ExportKeyingMaterial("EXPORTER-tesu"u8, null, byLabel);
        Assert.NotEqual(none, byLabel);
    }

    /// <summary>A KeyUpdate does not touch it (RFC 8446 §7.5).</summary>
    [Fact]
    public void An_export_is_the_same_after_a_KeyUpdate()
    {
        using HandshakePair pair = Pair(TlsCipherSuite.TLS_AES_128_GCM_SHA256);
        pair.Run();
        using TlsSession session = pair.Client.TakeSession();
        byte[] before = Export(session, null, 32);
        session.UpdateSendKeys();
        session.UpdateReceiveKeys();
        Assert.Equal(before, Export(session, null, 32));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_is_out_of_bounds_is_refused(TlsCipherSuite suite)
    {
        using HandshakePair pair = Pair(suite);
        pair.Run();
        TlsSession session = pair.Client.TakeSession();
        session.ExportKeyingMaterial(new byte[249], null, new byte[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => session.ExportKeyingMaterial(new byte[250], null, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.ExportKeyingMaterial(Label, new byte[ushort.MaxValue + 1], new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.ExportKeyingMaterial(Label, null, new byte[(255 * 32) + 1]));
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.ExportKeyingMaterial(Label, null, new byte[1]));
    }

    /// <summary>The secret may have been zeros when it was used: nothing is handed out.</summary>
    [Fact]
    public void A_session_that_is_disposed_of_meanwhile_exports_nothing()
    {
        using var session = new DisposedMeanwhile();
        byte[] output = new byte[32];
        Assert.Throws<ObjectDisposedException>(() => session.ExportKeyingMaterial(Label, null, output));
        Assert.Equal(new byte[32], output);
    }

    private static byte[] Export(TlsSession session, byte[]? context, int length)
    {
        byte[] output = new byte[length];
        session.ExportKeyingMaterial(Label, context, output);
        return output;
    }

    private static byte[] Expected13(HashAlgorithmName hash, byte[] secret, byte[]? context, int length)
    {
        byte[] derived = ExpandLabel(hash, secret, Label, CryptographicOperations.HashData(hash, []), secret.Length);
        return ExpandLabel(hash, derived, "exporter"u8.ToArray(), CryptographicOperations.HashData(hash, context ?? []), length);
    }

    private static byte[] ExpandLabel(HashAlgorithmName hash, byte[] secret, byte[] label, byte[] context, int length) => length == 0
        ? []
        : HKDF.Expand(hash, secret, length, [.. Tls.U16(length), .. Tls.Vector8([.. "tls13 "u8, .. label]), .. Tls.Vector8(context)]);

    // P_hash of RFC 5246 §5.
    private static byte[] Expected12(HashAlgorithmName hash, byte[] secret, byte[] randoms, byte[]? context, int length)
    {
        byte[] seed = [.. Label, .. randoms, .. context is null ? [] : Tls.Vector16(context)];
        var output = new List<byte>();
        byte[] a = seed;
        while (output.Count < length)
        {
            a = CryptographicOperations.HmacData(hash, secret, a);
            byte[] input = [.. a, .. seed];
            output.AddRange(CryptographicOperations.HmacData(hash, secret, input));
        }

        return [.. output.Take(length)];
    }

    private static HandshakePair Pair(TlsCipherSuite suite, List<string>? log = null) => new(
        new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, CipherSuites = [suite], KeyLog = log is null ? null : log.Add });

    private sealed class DisposedMeanwhile() : TlsSession(Crypto.CipherSuite.Find(TlsCipherSuite.TLS_AES_128_GCM_SHA256)!)
    {
        public override RecordKeys GetSendKeys() => throw new NotSupportedException();

        public override RecordKeys GetReceiveKeys() => throw new NotSupportedException();

        public override void UpdateSendKeys() => throw new NotSupportedException();

        public override void UpdateReceiveKeys() => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
        }

        internal override ClientSession? CreateSession(in Wire.NewSessionTicket ticket) => null;

        private protected override void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output)
        {
            Dispose();
            output.Fill(1);
        }
    }
}
