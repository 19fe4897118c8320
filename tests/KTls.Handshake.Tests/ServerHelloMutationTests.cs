using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>What a client does with ServerHellos and HelloRetryRequests that no honest server sends.</summary>
public sealed class ServerHelloMutationTests
{
    private static readonly Dictionary<string, (Action<ServerHelloMessage> Spoil, AlertDescription Expected)> Cases = new()
    {
        // RFC 8446 §4.1.3
        ["legacy_version of TLS 1.1"] = (h => h.LegacyVersion = 0x0302, AlertDescription.IllegalParameter),
        ["legacy_version of TLS 1.3"] = (h => h.LegacyVersion = 0x0304, AlertDescription.IllegalParameter),
        ["another session id"] = (h => h.SessionId = [.. h.SessionId[..31], (byte)(h.SessionId[31] ^ 1)], AlertDescription.IllegalParameter),
        ["no session id"] = (h => h.SessionId = [], AlertDescription.IllegalParameter),
        ["half of the session id"] = (h => h.SessionId = h.SessionId[..16], AlertDescription.IllegalParameter),
        ["a session id that is too long"] = (h => h.SessionId = [.. h.SessionId, 0], AlertDescription.IllegalParameter),
        ["a suite of TLS 1.3 that was not offered"] = (h => h.CipherSuite = 0x1302, AlertDescription.IllegalParameter),
        ["an unknown suite"] = (h => h.CipherSuite = 0x1304, AlertDescription.IllegalParameter),
        ["a suite of TLS 1.2"] = (h => h.CipherSuite = 0xc02f, AlertDescription.IllegalParameter),
        ["suite 0"] = (h => h.CipherSuite = 0, AlertDescription.IllegalParameter),
        ["compression"] = (h => h.Compression = 1, AlertDescription.IllegalParameter),

        // A server of an older version
        ["no supported_versions"] = (h => h.Remove(ExtensionType.SupportedVersions), AlertDescription.ProtocolVersion),
        ["no extensions"] = (h => h.ExtensionBlock = [], AlertDescription.ProtocolVersion),
        ["an empty extension block"] = (h => h.ExtensionBlock = [0, 0], AlertDescription.ProtocolVersion),
        ["supported_versions empty"] = (h => h.Set(ExtensionType.SupportedVersions), AlertDescription.DecodeError),
        ["supported_versions as a client's list"] = (h => h.Set(ExtensionType.SupportedVersions, [2, 3, 4]), AlertDescription.DecodeError),

        // key_share (§4.2.8)
        ["a share for another group"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.Secp256r1), h.Get(ExtensionType.KeyShare)[2..]), AlertDescription.IllegalParameter),
        ["a share for an unknown group"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16(0x0a0a), h.Get(ExtensionType.KeyShare)[2..]), AlertDescription.IllegalParameter),
        ["a share of zeros"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519), Tls.Vector16(new byte[32])), AlertDescription.IllegalParameter),
        ["a share too short"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519), Tls.Vector16(new byte[31])), AlertDescription.IllegalParameter),
        ["a share without a key"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519), Tls.Vector16()), AlertDescription.DecodeError),
        ["a share as in a retry"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519)), AlertDescription.DecodeError),
        ["a share with a byte too many"] = (h => h.Set(ExtensionType.KeyShare, h.Get(ExtensionType.KeyShare), [0]), AlertDescription.DecodeError),
        ["two shares as in a ClientHello"] = (h => h.Set(ExtensionType.KeyShare, Tls.Vector16(h.Get(ExtensionType.KeyShare))), AlertDescription.DecodeError),

        // Extensions as such (§4.2)
        ["supported_versions twice"] = (h => h.Add((int)ExtensionType.SupportedVersions, Tls.U16(0x0304)), AlertDescription.IllegalParameter),
        ["key_share twice"] = (h => h.Add((int)ExtensionType.KeyShare, h.Get(ExtensionType.KeyShare)), AlertDescription.IllegalParameter),
        ["an unknown extension"] = (h => h.Add(0x0a0a), AlertDescription.UnsupportedExtension),
        ["a pre-shared key that was not offered"] = (h => h.Add((int)ExtensionType.PreSharedKey, [0, 0]), AlertDescription.UnsupportedExtension),
        ["early_data"] = (h => h.Add((int)ExtensionType.EarlyData), AlertDescription.UnsupportedExtension),
        ["a cookie, which only a retry has"] = (h => h.Add((int)ExtensionType.Cookie, Tls.Vector16([1])), AlertDescription.UnsupportedExtension),
        ["a byte after the extensions"] = (h => h.ExtensionBlock = [.. Tls.Vector16(Tls.Extension(43, [3, 4])), 0], AlertDescription.DecodeError),
        ["an extension block that is too long"] = (h => h.ExtensionBlock = [0, 9, 0, 43, 0, 2, 3, 4], AlertDescription.DecodeError),
    };

    private static readonly Dictionary<string, (Action<ServerHelloMessage> Spoil, AlertDescription Expected)> RetryCases = new()
    {
        // §4.1.4
        ["the group of the first share"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519)), AlertDescription.IllegalParameter),
        ["a group that was not offered"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X448)), AlertDescription.IllegalParameter),
        ["a group that nobody knows"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16(0x0a0a)), AlertDescription.IllegalParameter),
        ["nothing to change"] = (h => h.Remove(ExtensionType.KeyShare), AlertDescription.IllegalParameter),
        ["a whole share"] = (h => h.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.Secp256r1), Tls.Vector16(new byte[65])), AlertDescription.DecodeError),
        ["an empty cookie"] = (h => h.Set(ExtensionType.Cookie, Tls.Vector16()), AlertDescription.DecodeError),
        ["a cookie with a byte too many"] = (h => h.Set(ExtensionType.Cookie, Tls.Vector16([1]), [0]), AlertDescription.DecodeError),
        ["an unknown extension"] = (h => h.Add(0x0a0a), AlertDescription.UnsupportedExtension),
        ["an extension twice"] = (h => h.Add((int)ExtensionType.KeyShare, Tls.U16((int)NamedGroup.Secp256r1)), AlertDescription.IllegalParameter),
        ["another session id"] = (h => h.SessionId = new byte[32], AlertDescription.IllegalParameter),
        ["a suite that was not offered"] = (h => h.CipherSuite = 0x1302, AlertDescription.IllegalParameter),
        ["compression"] = (h => h.Compression = 1, AlertDescription.IllegalParameter),
        ["legacy_version of TLS 1.1"] = (h => h.LegacyVersion = 0x0302, AlertDescription.IllegalParameter),
        ["no supported_versions"] = (h => h.Remove(ExtensionType.SupportedVersions), AlertDescription.ProtocolVersion),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    public static TheoryData<string> RetryCaseNames => [.. RetryCases.Keys];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void A_spoilt_ServerHello_ends_in_its_alert(string name)
    {
        using var server = new ScriptedServer();
        Cases[name].Spoil(server.Hello);
        server.AssertAlert(Cases[name].Expected, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    [Theory]
    [MemberData(nameof(RetryCaseNames))]
    public void A_spoilt_HelloRetryRequest_ends_in_its_alert(string name)
    {
        using var server = new ScriptedServer();
        ServerHelloMessage request = server.HelloRetryRequest();
        RetryCases[name].Spoil(request);
        server.AssertAlert(RetryCases[name].Expected, () => server.SendPlain(ContentType.Handshake, request.ToMessage()));
    }

    [Fact]
    public void A_ServerHello_that_ends_early_at_any_byte_is_a_decode_error()
    {
        using var whole = new ScriptedServer();
        byte[] message = whole.Hello.ToMessage();
        int endOfCompression = 4 + 2 + 32 + 33 + 2 + 1;
        for (int length = 4; length < message.Length; length++)
        {
            using var server = new ScriptedServer();
            byte[] cut = Tls.Message(HandshakeType.ServerHello, server.Hello.ToMessage()[4..length]);
            AlertDescription expected = length == endOfCompression ? AlertDescription.ProtocolVersion : AlertDescription.DecodeError;
            server.AssertAlert(expected, () => server.SendPlain(ContentType.Handshake, cut));
        }
    }

    [Fact]
    public void A_ServerHello_may_be_cut_anywhere()
    {
        using var whole = new ScriptedServer();
        int length = whole.Hello.ToMessage().Length;
        for (int cut = 1; cut < length; cut++)
        {
            using var server = new ScriptedServer();
            byte[] message = server.Hello.ToMessage();
            server.SendPlain(ContentType.Handshake, message[..cut]);
            server.SendPlain(ContentType.Handshake, message[cut..]);

            // Handshake keys are in: nothing in the clear is taken any more.
            server.Client.OutputSent();
            TlsAlertException e = Assert.Throws<TlsAlertException>(() => server.SendPlain(ContentType.Handshake, ScriptedServer.EncryptedExtensions()));
            Assert.Equal(AlertDescription.UnexpectedMessage, e.Description);
        }
    }

    [Fact]
    public void A_retry_with_a_cookie_and_a_group_gets_both()
    {
        using var server = new ScriptedServer();
        ServerHelloMessage request = server.HelloRetryRequest();
        request.Set(ExtensionType.Cookie, Tls.Vector16([5, 6, 7]));
        byte[] random = server.ClientHello.Random.ToArray();
        server.SendRetry(request);
        Assert.Equal(random, server.ClientHello.Random.ToArray());
        Assert.Equal(Tls.U16((int)NamedGroup.Secp256r1), server.ClientHello.KeyShares[..2].ToArray());
        Assert.True(server.ClientHello.Message.IndexOf(Tls.Extension((int)ExtensionType.Cookie, Tls.Vector16([5, 6, 7]))) > 0);

        server.Hello = server.ServerHello(NamedGroup.Secp256r1);
        server.SendHello(isP256: true);
        server.SendSealed(ScriptedServer.EncryptedExtensions());
        server.SendSealed(server.Certificate());
        server.SendSealed(server.CertificateVerify());
        server.Client.AcceptPeerCertificate();
        server.SendSealed(server.Finished());
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
    }

    [Fact]
    public void A_retry_with_only_a_cookie_keeps_the_share()
    {
        using var server = new ScriptedServer();
        ServerHelloMessage request = server.HelloRetryRequest();
        request.Remove(ExtensionType.KeyShare);
        request.Set(ExtensionType.Cookie, Tls.Vector16([5]));
        byte[] shares = server.ClientHello.KeyShares.ToArray();
        server.SendRetry(request);
        Assert.Equal(shares, server.ClientHello.KeyShares.ToArray());
        server.SendHello();
        server.SendSealed(ScriptedServer.EncryptedExtensions());
    }

    [Fact]
    public void A_second_HelloRetryRequest_is_unexpected()
    {
        using var server = new ScriptedServer();
        server.SendRetry(server.HelloRetryRequest());
        ServerHelloMessage again = server.HelloRetryRequest();
        again.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.X25519));
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Handshake, again.ToMessage()));
    }

    [Fact]
    public void A_retry_binds_the_group()
    {
        using var server = new ScriptedServer();
        server.SendRetry(server.HelloRetryRequest());
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendPlain(ContentType.Handshake, server.ServerHello(NamedGroup.X25519).ToMessage()));
    }

    [Fact]
    public void A_retry_binds_the_suite()
    {
        using var server = new ScriptedServer();
        server.SendRetry(server.HelloRetryRequest());
        ServerHelloMessage hello = server.ServerHello(NamedGroup.Secp256r1);
        hello.CipherSuite = 0x1303;
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendPlain(ContentType.Handshake, hello.ToMessage()));
    }

    [Fact]
    public void Nothing_may_follow_a_retry_in_its_record()
    {
        using var server = new ScriptedServer();
        byte[] retry = server.HelloRetryRequest().ToMessage();
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Handshake, [.. retry, .. server.ServerHello(NamedGroup.Secp256r1).ToMessage()]));
    }

    [Fact]
    public void Nothing_may_follow_a_ServerHello_in_its_record()
    {
        using var server = new ScriptedServer();
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Handshake, [.. server.Hello.ToMessage(), .. ScriptedServer.EncryptedExtensions()]));
    }

    [Fact]
    public void A_ServerHello_after_the_keys_is_unexpected()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(server.Hello.ToMessage()));
    }

    [Fact]
    public void A_retry_after_the_keys_is_unexpected()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(server.HelloRetryRequest().ToMessage()));
    }
}
