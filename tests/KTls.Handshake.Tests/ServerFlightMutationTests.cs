using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>What a client does with the rest of a server's flight: EncryptedExtensions to Finished, all of it under the right keys.</summary>
public sealed class ServerFlightMutationTests
{
    private static readonly byte[] Alpn = Tls.Extension(16, Tls.Vector16(Tls.Vector8("h2"u8.ToArray())));

    private static readonly Dictionary<string, (byte[] Message, AlertDescription Expected)> ExtensionCases = new()
    {
        ["no block"] = (Tls.Message(HandshakeType.EncryptedExtensions), AlertDescription.DecodeError),
        ["a byte too many"] = (Tls.Message(HandshakeType.EncryptedExtensions, [0, 0, 0]), AlertDescription.DecodeError),
        ["a block that ends early"] = (Tls.Message(HandshakeType.EncryptedExtensions, [0, 5, 0, 16, 0, 9]), AlertDescription.DecodeError),
        ["an unknown extension"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(0x0a0a)), AlertDescription.UnsupportedExtension),
        ["early_data that was not offered"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(42)), AlertDescription.UnsupportedExtension),
        ["ALPN twice"] = (ScriptedServer.EncryptedExtensions(Alpn, Alpn), AlertDescription.IllegalParameter),
        ["two application protocols"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16([1, 97], [1, 98]))), AlertDescription.IllegalParameter),
        ["a protocol that was not offered"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16([2, 104, 51]))), AlertDescription.IllegalParameter),
        ["the beginning of a protocol that was offered"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16([1, 104]))), AlertDescription.IllegalParameter),
        ["ALPN without a name"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16())), AlertDescription.DecodeError),
        ["ALPN with an empty name"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16([0, 0]))), AlertDescription.DecodeError),
        ["ALPN with a byte too many"] = (ScriptedServer.EncryptedExtensions(Tls.Extension(16, Tls.Vector16([2, 104, 50]), [0])), AlertDescription.DecodeError),
    };

    private static readonly Dictionary<string, (byte[] Message, AlertDescription Expected)> RequestCases = new()
    {
        // RFC 8446 §4.3.2
        ["a context"] = (Tls.Message(HandshakeType.CertificateRequest, [1, 7], Tls.Vector16(Tls.Extension(13, Tls.Vector16([4, 3])))), AlertDescription.IllegalParameter),
        ["no signature_algorithms"] = (Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(0x0a0a))), AlertDescription.MissingExtension),
        ["no extensions"] = (Tls.Message(HandshakeType.CertificateRequest, [0, 0, 0]), AlertDescription.MissingExtension),
        ["no extension block"] = (Tls.Message(HandshakeType.CertificateRequest, [0]), AlertDescription.DecodeError),
        ["nothing"] = (Tls.Message(HandshakeType.CertificateRequest), AlertDescription.DecodeError),
        ["a byte too many"] = (Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Tls.Vector16([4, 3]))), [0]), AlertDescription.DecodeError),
        ["signature_algorithms twice"] = (Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Tls.Vector16([4, 3])), Tls.Extension(13, Tls.Vector16([4, 3])))), AlertDescription.IllegalParameter),
    };

    private static readonly Dictionary<string, (Func<byte[], byte[]> Message, AlertDescription Expected)> CertificateCases = new()
    {
        // RFC 8446 §4.4.2
        ["no certificate"] = (_ => ScriptedServer.Certificate(), AlertDescription.DecodeError),
        ["an empty certificate"] = (_ => ScriptedServer.Certificate([]), AlertDescription.DecodeError),
        ["an empty certificate after a good one"] = (der => ScriptedServer.Certificate(der, []), AlertDescription.DecodeError),
        ["17 certificates"] = (der => ScriptedServer.Certificate([.. Enumerable.Repeat(der, 17)]), AlertDescription.BadCertificate),
        ["a context"] = (der => Tls.Message(HandshakeType.Certificate, [1, 7], Tls.Vector24(ScriptedServer.Entry(der))), AlertDescription.IllegalParameter),
        ["an OCSP response that nobody asked for"] = (der => Tls.Message(HandshakeType.Certificate, [0], Tls.Vector24(Tls.Vector24(der), Tls.Vector16(Tls.Extension(5, [1, 0, 0, 1, 0])))), AlertDescription.UnsupportedExtension),
        ["no extensions field"] = (der => Tls.Message(HandshakeType.Certificate, [0], Tls.Vector24(Tls.Vector24(der))), AlertDescription.DecodeError),
        ["as in TLS 1.2"] = (der => Tls.Message(HandshakeType.Certificate, Tls.Vector24(Tls.Vector24(der))), AlertDescription.DecodeError),
        ["a byte too many"] = (der => [.. Tls.WithBody(ScriptedServer.Certificate(der), body => [.. body, 0])], AlertDescription.DecodeError),
        ["no DER"] = (_ => ScriptedServer.Certificate([1, 2, 3]), AlertDescription.BadCertificate),
        ["half a certificate"] = (der => ScriptedServer.Certificate(der[..(der.Length / 2)]), AlertDescription.BadCertificate),
        ["an empty sequence"] = (_ => ScriptedServer.Certificate([0x30, 0]), AlertDescription.BadCertificate),
    };

    public static TheoryData<string> ExtensionCaseNames => [.. ExtensionCases.Keys];

    public static TheoryData<string> RequestCaseNames => [.. RequestCases.Keys];

    public static TheoryData<string> CertificateCaseNames => [.. CertificateCases.Keys];

    public static TheoryData<string, int> WrongMessages()
    {
        (string After, HandshakeType[] Right)[] states =
        [
            ("nothing", [HandshakeType.ServerHello]),
            ("ServerHello", [HandshakeType.EncryptedExtensions]),
            ("EncryptedExtensions", [HandshakeType.CertificateRequest, HandshakeType.Certificate]),
            ("CertificateRequest", [HandshakeType.Certificate]),
            ("Certificate", [HandshakeType.CertificateVerify]),
            ("CertificateVerify", [HandshakeType.Finished]),
        ];
        int[] types = [0, 1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 25, 254, 255];
        var data = new TheoryData<string, int>();
        foreach ((string after, HandshakeType[] right) in states)
        {
            foreach (int type in types.Where(type => !right.Contains((HandshakeType)type)))
            {
                data.Add(after, type);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(WrongMessages))]
    public void A_message_out_of_its_place_is_unexpected(string after, int type)
    {
        byte[] message = Tls.Message((HandshakeType)type, new byte[32]);
        using ScriptedServer server = after switch
        {
            "nothing" => new ScriptedServer(),
            "ServerHello" => ScriptedServer.After(HandshakeType.ServerHello),
            "EncryptedExtensions" or "CertificateRequest" => ScriptedServer.After(HandshakeType.EncryptedExtensions),
            "Certificate" => ScriptedServer.After(HandshakeType.Certificate),
            _ => ScriptedServer.After(HandshakeType.CertificateVerify),
        };
        if (after == "CertificateRequest")
        {
            server.SendSealed(Request());
        }

        server.AssertAlert(AlertDescription.UnexpectedMessage, () =>
        {
            if (after == "nothing")
            {
                server.SendPlain(ContentType.Handshake, message);
            }
            else
            {
                server.SendSealed(message);
            }
        });
    }

    [Fact]
    public void The_script_is_right_and_completes_a_handshake()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.CertificateVerify);
        server.SendSealed(server.Finished());
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
        (ContentType type, byte[] content) = Assert.Single(server.OpenOutput());
        Assert.Equal(ContentType.Handshake, type);
        Assert.Equal((byte)HandshakeType.Finished, content[0]);
    }

    [Fact]
    public void A_whole_flight_in_one_record_is_taken_as_far_as_the_verdict()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        byte[] flight = Flight(server);
        server.SendSealed(ContentType.Handshake, flight);
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, server.Client.Status);
        server.Client.AcceptPeerCertificate();
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
    }

    [Fact]
    public void A_flight_may_be_cut_anywhere()
    {
        int length = 100;
        for (int cut = 1; cut < length; cut += cut < 20 || cut > length - 45 ? 1 : 29)
        {
            using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
            byte[] flight = Flight(server);
            length = flight.Length;
            if (cut >= length)
            {
                // The length of an ECDSA signature varies.
                break;
            }

            server.SendSealed(ContentType.Handshake, flight[..cut]);
            if (server.Client.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                server.Client.AcceptPeerCertificate();
            }

            Assert.Equal(HandshakeStatus.NeedsRecord, server.Client.Status);
            server.SendSealed(ContentType.Handshake, flight[cut..]);
            if (server.Client.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                server.Client.AcceptPeerCertificate();
            }

            Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
        }
    }

    [Fact]
    public void A_flight_may_come_byte_by_byte()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        foreach (byte part in Flight(server))
        {
            server.SendSealed(ContentType.Handshake, [part]);
            if (server.Client.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                server.Client.AcceptPeerCertificate();
            }
        }

        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
    }

    [Fact]
    public void Nothing_may_follow_Finished_in_its_record()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.CertificateVerify);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(server.Finished(), Tls.Message(HandshakeType.NewSessionTicket, new byte[20])));
    }

    [Theory]
    [MemberData(nameof(ExtensionCaseNames))]
    public void Spoilt_EncryptedExtensions_end_in_their_alert(string name)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(ExtensionCases[name].Expected, () => server.SendSealed(ExtensionCases[name].Message));
    }

    [Fact]
    public void An_application_protocol_without_an_offer_is_an_unsupported_extension()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello, new ClientHandshakeOptions());
        server.AssertAlert(AlertDescription.UnsupportedExtension, () => server.SendSealed(ScriptedServer.EncryptedExtensions(Alpn)));
    }

    [Fact]
    public void What_a_server_may_say_in_EncryptedExtensions_is_taken()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension(0), Tls.Extension(10, Tls.Vector16(Tls.U16List(0x11ec, 29))), Alpn));
        server.SendSealed(server.Certificate());
        server.SendSealed(server.CertificateVerify());
        server.Client.AcceptPeerCertificate();
        server.SendSealed(server.Finished());
        using TlsSession session = server.Client.TakeSession();
        Assert.Equal(SslApplicationProtocol.Http2, session.ApplicationProtocol);
    }

    [Theory]
    [MemberData(nameof(RequestCaseNames))]
    public void A_spoilt_CertificateRequest_ends_in_its_alert(string name)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.AssertAlert(RequestCases[name].Expected, () => server.SendSealed(RequestCases[name].Message));
    }

    [Fact]
    public void A_CertificateRequest_is_answered_by_an_empty_Certificate()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(Request());
        server.SendSealed(server.Certificate());
        server.SendSealed(server.CertificateVerify());
        server.Client.AcceptPeerCertificate();
        server.SendSealed(server.Finished());
        List<byte[]> messages = Tls.SplitMessages(Assert.Single(server.OpenOutput()).Content);
        Assert.Equal([11, 0, 0, 4, 0, 0, 0, 0], messages[0]);
        Assert.Equal((byte)HandshakeType.Finished, messages[1][0]);
        Assert.Equal(2, messages.Count);
    }

    [Theory]
    [MemberData(nameof(CertificateCaseNames))]
    public void A_spoilt_Certificate_ends_in_its_alert(string name)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        byte[] message = CertificateCases[name].Message(server.Credential.Chain[0]);
        server.AssertAlert(CertificateCases[name].Expected, () => server.SendSealed(message));
    }

    [Fact]
    public void Sixteen_certificates_are_taken()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate([.. Enumerable.Repeat(server.Credential.Chain[0], 16)]));
        Assert.Equal(15, server.Client.OtherCertificates.Count);
    }

    [Fact]
    public void A_Certificate_over_the_limit_is_refused_before_it_comes()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendSealed(ContentType.Handshake, [11, 1, 0, 1]));
    }

    [Fact]
    public void A_Certificate_that_ends_early_at_any_byte_is_a_decode_error()
    {
        using ScriptedServer whole = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        byte[] message = whole.Certificate();
        for (int length = 4; length < message.Length; length += length < 20 ? 1 : 23)
        {
            using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
            byte[] cut = Tls.Message(HandshakeType.Certificate, message[4..length]);
            server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(cut));
        }
    }

    [Theory]
    [InlineData("flipped", AlertDescription.DecryptError)]
    [InlineData("empty", AlertDescription.DecryptError)]
    [InlineData("random", AlertDescription.DecryptError)]
    [InlineData("zeros", AlertDescription.DecryptError)]
    [InlineData("r and s of zero", AlertDescription.DecryptError)]
    [InlineData("with a byte more", AlertDescription.DecryptError)]
    [InlineData("60 kilobytes", AlertDescription.DecryptError)]
    [InlineData("by another key", AlertDescription.DecryptError)]
    [InlineData("as a client", AlertDescription.DecryptError)]
    [InlineData("the bare hash", AlertDescription.DecryptError)]
    public void A_bad_signature_is_a_decrypt_error(string how, AlertDescription expected)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate);
        byte[] content = server.SignedContent();
        using ECDsa stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] good = server.Credential.Sign(SignatureScheme.EcdsaSecp256r1Sha256, content);
        byte[] signature = how switch
        {
            "flipped" => [.. good[..^1], (byte)(good[^1] ^ 1)],
            "empty" => [],
            "random" => RandomNumberGenerator.GetBytes(71),
            "zeros" => new byte[71],
            "r and s of zero" => [0x30, 6, 2, 1, 0, 2, 1, 0],
            "with a byte more" => [.. good, 0],
            "60 kilobytes" => new byte[60_000],
            "by another key" => stranger.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            "as a client" => server.Credential.Sign(SignatureScheme.EcdsaSecp256r1Sha256, AsClient(content)),
            _ => server.Credential.Sign(SignatureScheme.EcdsaSecp256r1Sha256, content.AsSpan(98)),
        };
        byte[] message = server.CertificateVerify(signature: signature);
        server.AssertAlert(expected, () =>
        {
            foreach (byte[] part in message.Chunk(RecordHeader.MaxPlaintext))
            {
                server.SendSealed(ContentType.Handshake, part);
            }
        });
    }

    [Theory]
    [InlineData("ecdsa", 0x0401)]
    [InlineData("ecdsa", 0x0203)]
    [InlineData("ecdsa", 0x0807)]
    [InlineData("ecdsa", 0x0809)]
    [InlineData("ecdsa", 0x0000)]
    [InlineData("ecdsa", 0xffff)]
    [InlineData("ecdsa", 0x0804)]
    [InlineData("ecdsa", 0x0503)]
    [InlineData("ecdsa", 0x0603)]
    [InlineData("ecdsa384", 0x0403)]
    [InlineData("rsa", 0x0403)]
    [InlineData("rsa", 0x0401)]
    [InlineData("rsa", 0x0601)]
    public void A_scheme_that_was_not_offered_or_does_not_fit_the_key_is_illegal(string credential, int scheme)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate, credential: TestCertificates.ByName(credential));
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendSealed(server.CertificateVerify((SignatureScheme)scheme)));
    }

    [Theory]
    [InlineData(0x0805)]
    [InlineData(0x0806)]
    public void A_signature_with_another_hash_than_it_says_is_a_decrypt_error(int scheme)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate, credential: TestCertificates.Rsa);
        server.AssertAlert(AlertDescription.DecryptError, () => server.SendSealed(server.CertificateVerify((SignatureScheme)scheme)));
    }

    [Fact]
    public void A_CertificateVerify_that_ends_early_at_any_byte_is_a_decode_error()
    {
        for (int length = 0; length < 74; length++)
        {
            using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate);
            byte[] message = server.CertificateVerify(signature: new byte[70]);
            server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(Tls.WithBody(message, body => body[..length])));
        }
    }

    [Fact]
    public void A_CertificateVerify_with_a_byte_too_many_is_a_decode_error()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate);
        server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(Tls.WithBody(server.CertificateVerify(), body => [.. body, 0])));
    }

    [Fact]
    public void Every_byte_of_Finished_counts()
    {
        for (int i = 4; i < 36; i++)
        {
            using ScriptedServer server = ScriptedServer.After(HandshakeType.CertificateVerify);
            byte[] finished = server.Finished();
            finished[i] ^= 0x80;
            server.AssertAlert(AlertDescription.DecryptError, () => server.SendSealed(finished));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_Finished_of_the_wrong_length_is_a_decode_error(int length)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.CertificateVerify);
        server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(Tls.Message(HandshakeType.Finished, new byte[length])));
    }

    [Fact]
    public void A_refused_certificate_is_told_under_the_handshake_keys()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.Certificate);
        server.SendSealed(server.CertificateVerify(), server.Finished());
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, server.Client.Status);
        Assert.Throws<InvalidOperationException>(() => server.SendSealed(ContentType.Handshake, [20]));
        server.Client.Fail(AlertDescription.UnknownCa);
        server.AssertAlertInOutput(AlertDescription.UnknownCa);
        Assert.Throws<InvalidOperationException>(server.Client.AcceptPeerCertificate);
        Assert.Throws<InvalidOperationException>(server.Client.TakeSession);
    }

    [Fact]
    public void An_alert_in_the_clear_after_a_sealed_record_is_unexpected()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Alert, [2, 40]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0101")]
    [InlineData("02")]
    public void A_change_cipher_spec_is_the_one_byte_1(string content)
    {
        using var early = new ScriptedServer();
        early.AssertAlert(AlertDescription.UnexpectedMessage, () => early.SendPlain(ContentType.ChangeCipherSpec, Convert.FromHexString(content)));

        using ScriptedServer late = ScriptedServer.After(HandshakeType.Certificate);
        late.AssertAlert(AlertDescription.UnexpectedMessage, () => late.SendPlain(ContentType.ChangeCipherSpec, Convert.FromHexString(content)));
    }

    [Fact]
    public void A_change_cipher_spec_may_come_between_any_two_messages_but_not_inside_one()
    {
        using var server = new ScriptedServer();
        server.SendPlain(ContentType.ChangeCipherSpec, [1]);
        server.SendHello();
        server.SendPlain(ContentType.ChangeCipherSpec, [1]);
        server.SendSealed(ScriptedServer.EncryptedExtensions());
        server.SendPlain(ContentType.ChangeCipherSpec, [1]);
        server.SendSealed(ContentType.Handshake, server.Certificate()[..50]);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.ChangeCipherSpec, [1]));
    }

    [Theory]
    [InlineData(ContentType.ApplicationData)]
    [InlineData(ContentType.ChangeCipherSpec)]
    [InlineData(ContentType.Invalid)]
    [InlineData((ContentType)99)]
    public void No_other_sealed_content_comes_in_the_handshake(ContentType type)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(type, [1]));
    }

    private static byte[] Request() => Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Tls.Vector16([4, 3])), Tls.Extension(0x0a0a, [1])));

    private static byte[] AsClient(byte[] content) => [.. content[..64], .. "TLS 1.3, client CertificateVerify\0"u8, .. content[98..]];

    private static byte[] Flight(ScriptedServer server)
    {
        byte[] extensions = server.Note(ScriptedServer.EncryptedExtensions());
        byte[] certificate = server.Note(server.Certificate());
        byte[] verify = server.Note(server.CertificateVerify());
        return [.. extensions, .. certificate, .. verify, .. server.Finished()];
    }
}
