using System.Security.Cryptography;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>What a server does with ClientHellos that no honest client sends: each ends in the alert that RFC 8446 names.</summary>
public sealed class ClientHelloMutationTests
{
    private static readonly Dictionary<string, (Action<ClientHelloMessage> Spoil, AlertDescription Expected)> Cases = new()
    {
        // Version (RFC 8446 §4.2.1, §D.5)
        ["no supported_versions"] = (h => h.Remove(ExtensionType.SupportedVersions), AlertDescription.ProtocolVersion),
        ["no extensions at all"] = (h => h.ExtensionBlock = [], AlertDescription.ProtocolVersion),
        ["an empty extension block"] = (h => h.ExtensionBlock = [0, 0], AlertDescription.ProtocolVersion),
        ["TLS 1.2 only"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16(0x0303))), AlertDescription.ProtocolVersion),
        ["a version above TLS 1.3 only"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16(0x0305))), AlertDescription.ProtocolVersion),
        ["supported_versions empty"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8()), AlertDescription.DecodeError),
        ["supported_versions without a body"] = (h => h.Set(ExtensionType.SupportedVersions), AlertDescription.DecodeError),
        ["supported_versions of odd length"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8([3, 4, 3])), AlertDescription.DecodeError),
        ["supported_versions with a byte too many"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8([3, 4]), [0]), AlertDescription.DecodeError),
        ["supported_versions longer than its body"] = (h => h.Set(ExtensionType.SupportedVersions, [4, 3, 4]), AlertDescription.DecodeError),

        // Session id, suites, compression (§4.1.2)
        ["a session id of 33 bytes"] = (h => h.SessionId = new byte[33], AlertDescription.DecodeError),
        ["no cipher suites"] = (h => h.CipherSuites = Tls.Vector16(), AlertDescription.DecodeError),
        ["cipher suites of odd length"] = (h => h.CipherSuites = Tls.Vector16([0x13, 0x01, 0x13]), AlertDescription.DecodeError),
        ["only unknown cipher suites"] = (h => h.CipherSuites = Tls.Vector16(Tls.U16List(0x1304, 0xc02f, 0x0a0a)), AlertDescription.HandshakeFailure),
        ["a suite that only straddles two"] = (h => h.CipherSuites = Tls.Vector16([0x0a, 0x13, 0x01, 0x0a]), AlertDescription.HandshakeFailure),
        ["no compression method"] = (h => h.Compression = Tls.Vector8(), AlertDescription.DecodeError),
        ["deflate"] = (h => h.Compression = Tls.Vector8([1]), AlertDescription.IllegalParameter),
        ["deflate beside null"] = (h => h.Compression = Tls.Vector8([0, 1]), AlertDescription.IllegalParameter),
        ["null twice"] = (h => h.Compression = Tls.Vector8([0, 0]), AlertDescription.IllegalParameter),

        // Extensions that must be there (§9.2)
        ["no signature_algorithms"] = (h => h.Remove(ExtensionType.SignatureAlgorithms), AlertDescription.MissingExtension),
        ["no supported_groups"] = (h => h.Remove(ExtensionType.SupportedGroups), AlertDescription.MissingExtension),
        ["no key_share"] = (h => h.Remove(ExtensionType.KeyShare), AlertDescription.MissingExtension),

        // Lists of numbers (§4.2.3, §4.2.7)
        ["signature_algorithms empty"] = (h => h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16()), AlertDescription.DecodeError),
        ["signature_algorithms of odd length"] = (h => h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16([4, 3, 8])), AlertDescription.DecodeError),
        ["signature_algorithms with a byte too many"] = (h => h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16([4, 3]), [0]), AlertDescription.DecodeError),
        ["no scheme that the key signs with"] = (h => h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16(Tls.U16List(0x0804, 0x0401, 0x0503))), AlertDescription.HandshakeFailure),
        ["supported_groups empty"] = (h => h.Set(ExtensionType.SupportedGroups, Tls.Vector16()), AlertDescription.DecodeError),
        ["supported_groups of odd length"] = (h => h.Set(ExtensionType.SupportedGroups, Tls.Vector16([0, 29, 0])), AlertDescription.DecodeError),
        ["no group in common"] = (h =>
        {
            h.Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16List(0x001e, 0x11eb)));
            h.SetShares((NamedGroup.X448, new byte[56]));
        }, AlertDescription.HandshakeFailure),

        // Key shares (§4.2.8)
        ["a share for a group that is not supported"] = (h => h.Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16List((int)NamedGroup.Secp256r1))), AlertDescription.IllegalParameter),
        ["two shares for one group"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h), ShareOf(h))), AlertDescription.IllegalParameter),
        ["a share without a key"] = (h => h.SetShares((NamedGroup.X25519, [])), AlertDescription.DecodeError),
        ["a share that ends early"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h)[..^1])), AlertDescription.DecodeError),
        ["half a share after a good one"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h), [0])), AlertDescription.DecodeError),
        ["key_share with a byte too many"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h)), [0]), AlertDescription.DecodeError),
        ["an X25519 share of 31 bytes"] = (h => h.SetShares((NamedGroup.X25519, new byte[31])), AlertDescription.IllegalParameter),
        ["an X25519 share of 33 bytes"] = (h => h.SetShares((NamedGroup.X25519, Filled(33))), AlertDescription.IllegalParameter),
        ["an X25519 share of zeros"] = (h => h.SetShares((NamedGroup.X25519, new byte[32])), AlertDescription.IllegalParameter),
        ["an X25519 share of order 1"] = (h => h.SetShares((NamedGroup.X25519, [1, .. new byte[31]])), AlertDescription.IllegalParameter),
        ["an X25519 share of order 8"] = (h => h.SetShares((NamedGroup.X25519, Convert.FromHexString("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"))), AlertDescription.IllegalParameter),
        ["an X25519 share of order 8, not reduced"] = (h => h.SetShares((NamedGroup.X25519, Convert.FromHexString("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))), AlertDescription.IllegalParameter),
        ["a P-256 share off the curve"] = (h => h.SetShares((NamedGroup.Secp256r1, [4, .. Filled(64)])), AlertDescription.IllegalParameter),
        ["a P-256 share of zeros"] = (h => h.SetShares((NamedGroup.Secp256r1, [4, .. new byte[64]])), AlertDescription.IllegalParameter),
        ["a P-256 share out of the field"] = (h => h.SetShares((NamedGroup.Secp256r1, [4, .. Enumerable.Repeat((byte)0xff, 64)])), AlertDescription.IllegalParameter),
        ["a compressed P-256 share"] = (h => h.SetShares((NamedGroup.Secp256r1, [2, .. P256Point()[1..33]])), AlertDescription.IllegalParameter),
        ["a P-256 share in hybrid form"] = (h => h.SetShares((NamedGroup.Secp256r1, [6, .. P256Point()[1..]])), AlertDescription.IllegalParameter),
        ["a P-256 share with a byte too many"] = (h => h.SetShares((NamedGroup.Secp256r1, [.. P256Point(), 0])), AlertDescription.IllegalParameter),
        ["the point at infinity"] = (h => h.SetShares((NamedGroup.Secp256r1, [0])), AlertDescription.IllegalParameter),

        // Extensions as such (§4.2)
        ["an unknown extension twice"] = (h => { h.Add(0x0a0a); h.Add(0x0a0a); }, AlertDescription.IllegalParameter),
        ["key_share twice"] = (h => h.Add((int)ExtensionType.KeyShare, h.Get(ExtensionType.KeyShare)), AlertDescription.IllegalParameter),
        ["server_name twice"] = (h => h.Add((int)ExtensionType.ServerName, h.Get(ExtensionType.ServerName)), AlertDescription.IllegalParameter),
        ["supported_versions twice"] = (h => h.Add((int)ExtensionType.SupportedVersions, h.Get(ExtensionType.SupportedVersions)), AlertDescription.IllegalParameter),
        ["101 extensions"] = (h =>
        {
            for (int type = 1000; h.Extensions.Count < 101; type++)
            {
                h.Add(type);
            }
        }, AlertDescription.IllegalParameter),
        ["an extension block longer than the message"] = (h => h.ExtensionBlock = [0, 4, 0, 43, 0], AlertDescription.DecodeError),
        ["an extension longer than the block"] = (h => h.ExtensionBlock = Tls.Vector16([0, 43, 0, 9, 2, 3, 4]), AlertDescription.DecodeError),
        ["half a type at the end of the block"] = (h => h.ExtensionBlock = Tls.Vector16(Tls.Extension(43, [2, 3, 4]), [0]), AlertDescription.DecodeError),
        ["a byte after the extension block"] = (h => h.ExtensionBlock = [.. Tls.Vector16(Tls.Extension(43, [2, 3, 4])), 0], AlertDescription.DecodeError),
        ["one byte in the place of the extension block"] = (h => h.ExtensionBlock = [0], AlertDescription.DecodeError),

        // pre_shared_key and early_data (§4.2.9 to §4.2.11)
        ["pre_shared_key is not the last"] = (h => { h.Add((int)ExtensionType.PskKeyExchangeModes, [1, 1]); h.Add((int)ExtensionType.PreSharedKey, Psk()); h.Add(0x0a0a); }, AlertDescription.IllegalParameter),
        ["early_data with a body"] = (h => h.Add((int)ExtensionType.EarlyData, [0]), AlertDescription.DecodeError),

        // server_name (RFC 6066 §3) and ALPN (RFC 7301 §3.1)
        ["server_name without a body"] = (h => h.Set(ExtensionType.ServerName), AlertDescription.DecodeError),
        ["server_name with an empty list"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16()), AlertDescription.DecodeError),
        ["server_name with an empty name"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16())), AlertDescription.DecodeError),
        ["server_name that ends early"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0, 0, 5, 97])), AlertDescription.DecodeError),
        ["server_name with a byte too many"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16("a"u8.ToArray())), [0]), AlertDescription.DecodeError),
        ["two host names"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16("a"u8.ToArray()), [0], Tls.Vector16("b"u8.ToArray()))), AlertDescription.IllegalParameter),
        ["a zero byte in the host name"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16("a\0b"u8.ToArray()))), AlertDescription.IllegalParameter),
        ["certificate_authorities empty"] = (h => h.Add((int)ExtensionType.CertificateAuthorities, Tls.Vector16()), AlertDescription.DecodeError),
        ["certificate_authorities with an empty name"] = (h => h.Add((int)ExtensionType.CertificateAuthorities, Tls.Vector16(Tls.Vector16([0x30]), Tls.Vector16())), AlertDescription.DecodeError),
        ["certificate_authorities with a name that ends early"] = (h => h.Add((int)ExtensionType.CertificateAuthorities, Tls.Vector16([0, 9, 0x30])), AlertDescription.DecodeError),
        ["certificate_authorities with a byte too many"] = (h => h.Add((int)ExtensionType.CertificateAuthorities, Tls.Vector16(Tls.Vector16([0x30])), [0]), AlertDescription.DecodeError),
        ["ALPN without a body"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation), AlertDescription.DecodeError),
        ["ALPN with an empty list"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16()), AlertDescription.DecodeError),
        ["ALPN with an empty name"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16([1, 97], [0])), AlertDescription.DecodeError),
        ["ALPN with a name that ends early"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16([3, 97, 98])), AlertDescription.DecodeError),
        ["ALPN with a byte too many"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16([1, 97]), [0]), AlertDescription.DecodeError),
    };

    // What a server does not look at, on purpose.
    private static readonly Dictionary<string, Action<ClientHelloMessage>> Harmless = new()
    {
        ["nothing"] = _ => { },
        ["legacy_version of TLS 1.0"] = h => h.LegacyVersion = 0x0301,
        ["legacy_version of TLS 1.3"] = h => h.LegacyVersion = 0x0304,
        ["no session id"] = h => h.SessionId = [],
        ["a session id of one byte"] = h => h.SessionId = [7],
        ["GREASE everywhere (RFC 8701)"] = h =>
        {
            h.CipherSuites = Tls.Vector16(Tls.U16List(0x0a0a, 0x1301));
            h.Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16List(0x1a1a, 0x0304, 0x0303)));
            h.Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16List(0x2a2a, 29)));
            h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16(Tls.U16List(0x3a3a, 0x0403)));
            h.Set(ExtensionType.KeyShare, Tls.Vector16(ClientHelloMessage.Share((NamedGroup)0x2a2a, [0]), ShareOf(h)));
            h.Add(0x4a4a);
            h.Add(0x5a5a, [0]);
        },
        ["an unknown name type before the host name"] = h => h.Set(ExtensionType.ServerName, Tls.Vector16([9], Tls.Vector16([1]), [0], Tls.Vector16("localhost"u8.ToArray()))),
        ["100 extensions"] = h =>
        {
            for (int type = 1000; h.Extensions.Count < 100; type++)
            {
                h.Add(type);
            }
        },
        ["an extension of 20000 bytes"] = h => h.Add(0x0a0a, new byte[20000]),
        ["a pre-shared key that nobody knows"] = h => { h.Add((int)ExtensionType.PskKeyExchangeModes, [1, 1]); h.Add((int)ExtensionType.PreSharedKey, Psk()); },
        ["no server_name"] = h => h.Remove(ExtensionType.ServerName),
        ["authorities that nobody knows"] = h => h.Add((int)ExtensionType.CertificateAuthorities, Tls.Vector16(Tls.Vector16([0x30, 0]), Tls.Vector16([1]))),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    public static TheoryData<string> HarmlessNames => [.. Harmless.Keys];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void A_spoilt_ClientHello_ends_in_its_alert(string name)
    {
        using var client = new ScriptedClient();
        Cases[name].Spoil(client.Hello);
        client.AssertAlert(Cases[name].Expected, () => SendInRecords(client, client.Hello.ToMessage()));
    }

    [Theory]
    [MemberData(nameof(HarmlessNames))]
    public void What_does_not_matter_does_not_hurt(string name)
    {
        using var client = new ScriptedClient();
        Harmless[name](client.Hello);
        SendInRecords(client, client.Hello.ToMessage());
        Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);

        // The ServerHello echoes the session id (§4.1.3).
        byte[] serverHello = client.TakeOutput()[0][RecordHeader.Size..];
        Assert.Equal(Tls.Vector8(client.Hello.SessionId), serverHello[38..(39 + client.Hello.SessionId.Length)]);
    }

    [Fact]
    public void A_ClientHello_that_ends_early_at_any_byte_is_a_decode_error()
    {
        using var whole = new ScriptedClient();
        whole.Hello.SessionId = [];
        byte[] message = whole.Hello.ToMessage();
        int endOfCompression = 4 + 2 + 32 + 1 + whole.Hello.CipherSuites.Length + whole.Hello.Compression.Length;
        for (int length = 4; length < message.Length; length++)
        {
            using var client = new ScriptedClient();
            byte[] cut = Tls.Message(HandshakeType.ClientHello, message[4..length]);

            // A ClientHello without extensions is well-formed, and one of TLS 1.2.
            AlertDescription expected = length == endOfCompression ? AlertDescription.ProtocolVersion : AlertDescription.DecodeError;
            client.AssertAlert(expected, () => client.SendPlain(ContentType.Handshake, cut));
        }
    }

    [Fact]
    public void Each_extension_that_ends_early_at_any_byte_is_a_decode_error()
    {
        ExtensionType[] types =
        [
            ExtensionType.ServerName, ExtensionType.SupportedGroups, ExtensionType.SignatureAlgorithms,
            ExtensionType.ApplicationLayerProtocolNegotiation, ExtensionType.SupportedVersions, ExtensionType.KeyShare,
        ];
        foreach (ExtensionType type in types)
        {
            using var whole = new ScriptedClient();
            int size = whole.Hello.Get(type).Length;
            for (int length = 0; length < size; length++)
            {
                using var client = new ScriptedClient();
                client.Hello.Set(type, client.Hello.Get(type)[..length]);
                client.AssertAlert(AlertDescription.DecodeError, client.SendHello);
            }
        }
    }

    private static readonly Dictionary<string, (Action<ClientHelloMessage> Change, AlertDescription Expected)> SecondCases = new()
    {
        ["random"] = (h => h.Random = new byte[32], AlertDescription.IllegalParameter),
        ["session id"] = (h => h.SessionId = [.. h.SessionId[..31], 0], AlertDescription.IllegalParameter),
        ["no session id"] = (h => h.SessionId = [], AlertDescription.IllegalParameter),
        ["a suite less"] = (h => h.CipherSuites = Tls.Vector16(Tls.U16List(0x1301, 0x1302)), AlertDescription.IllegalParameter),
        ["suites in another order"] = (h => h.CipherSuites = Tls.Vector16(Tls.U16List(0x1302, 0x1301, 0x1303)), AlertDescription.IllegalParameter),
        ["compression"] = (h => h.Compression = Tls.Vector8([1]), AlertDescription.IllegalParameter),
        ["groups"] = (h => h.Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16List((int)NamedGroup.Secp256r1))), AlertDescription.IllegalParameter),
        ["signature schemes"] = (h => h.Set(ExtensionType.SignatureAlgorithms, Tls.Vector16(Tls.U16List(0x0403))), AlertDescription.IllegalParameter),
        ["another server name"] = (h => h.Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16("elsewhere"u8.ToArray()))), AlertDescription.IllegalParameter),
        ["no server name"] = (h => h.Remove(ExtensionType.ServerName), AlertDescription.IllegalParameter),
        ["other application protocols"] = (h => h.Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16(Tls.Vector8("http/1.1"u8.ToArray()))), AlertDescription.IllegalParameter),
        ["no application protocols"] = (h => h.Remove(ExtensionType.ApplicationLayerProtocolNegotiation), AlertDescription.IllegalParameter),
        ["early data"] = (h => h.Add((int)ExtensionType.EarlyData), AlertDescription.IllegalParameter),
        ["no TLS 1.3 any more"] = (h => h.Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16(0x0303))), AlertDescription.ProtocolVersion),
        ["no key_share"] = (h => h.Remove(ExtensionType.KeyShare), AlertDescription.MissingExtension),
        ["the first share again"] = (h => h.SetShares((NamedGroup.X25519, Filled(32))), AlertDescription.IllegalParameter),
        ["another share beside the right one"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h), ClientHelloMessage.Share(NamedGroup.X25519, Filled(32)))), AlertDescription.IllegalParameter),
        ["the right share twice"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h), ShareOf(h))), AlertDescription.IllegalParameter),
        ["a share that is no point"] = (h => h.SetShares((NamedGroup.Secp256r1, Filled(65))), AlertDescription.IllegalParameter),
        ["half a share"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(ShareOf(h)[..^1])), AlertDescription.DecodeError),
    };

    public static TheoryData<string> SecondCaseNames => [.. SecondCases.Keys];

    [Theory]
    [MemberData(nameof(SecondCaseNames))]
    public void A_second_ClientHello_that_differs_ends_in_its_alert(string name)
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.GetRetried();
        SecondCases[name].Change(client.Hello);
        client.AssertAlert(SecondCases[name].Expected, client.SendHello);
    }

    [Fact]
    public void A_second_ClientHello_as_it_must_be_goes_through()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.GetRetried();
        client.SendHello();
        client.ReadFlight();
        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
        using TlsSession session = client.Server.TakeSession();
        Assert.Equal(NamedGroup.Secp256r1, session.Group);
    }

    [Fact]
    public void There_is_no_third_ClientHello()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.GetRetried();
        client.SendHello();
        client.ReadFlight();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(client.Hello.ToMessage()));
    }

    internal static byte[] Psk() => [.. Tls.Vector16(Tls.Vector16([1, 2, 3, 4]), [0, 0, 0, 0]), .. Tls.Vector16(Tls.Vector8(new byte[32]))];

    // One byte of header for each of 2^14 and a half: a message larger than a record.
    private static void SendInRecords(ScriptedClient client, byte[] message)
    {
        foreach (byte[] fragment in message.Chunk(RecordHeader.MaxPlaintext))
        {
            client.SendPlain(ContentType.Handshake, fragment);
        }
    }

    private static byte[] ShareOf(ClientHelloMessage hello) => hello.Get(ExtensionType.KeyShare)[2..];

    private static byte[] Filled(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];

    private static byte[] P256Point()
    {
        using ECDiffieHellman key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. point.X!, .. point.Y!];
    }
}
