using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Tests.Tls12;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>A client's certificate counts only with a right signature over the handshake so far, and with the caller's verdict.</summary>
public sealed class ClientCertificateTests
{
    private const SignatureScheme Pss = SignatureScheme.RsaPssRsaeSha256;
    private const SignatureScheme Pkcs1 = SignatureScheme.RsaPkcs1Sha256;
    private const SignatureScheme P256 = SignatureScheme.EcdsaSecp256r1Sha256;

    private static readonly CertificateCredential Rsa = TestCertificates.Rsa;

    public static TheoryData<SslProtocols> Protocols { get; } = [SslProtocols.Tls12, SslProtocols.Tls13];

    [Fact]
    public void TLS_1_2_completes_after_the_verdict_alone()
    {
        using ScriptedClient12 client = Client12();
        client.SendMessages(client.CertificateVerify(Rsa, Pss));
        client.SendChangeCipherSpec();
        client.SendFinished();
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, client.Server.Status);
        Assert.Empty(client.TakeOutput());
        Assert.Throws<InvalidOperationException>(client.Server.TakeSession);
        Assert.Throws<InvalidOperationException>(() => client.Server.ReceiveRecord(client.Seal(ContentType.ApplicationData, [1])));
        Assert.Equal(Rsa.Certificate.RawData, client.Server.PeerCertificate!.RawData);
        client.Server.AcceptPeerCertificate();
        client.ReadEnd();
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    [Fact]
    public void TLS_1_3_completes_after_the_verdict_alone()
    {
        using ScriptedClient client = Client13();
        client.SendNoted(ScriptedClient.Certificate(Rsa.Chain));
        client.SendNoted(client.CertificateVerify(Rsa, Pss));
        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, client.Server.Status);
        Assert.Throws<InvalidOperationException>(client.Server.TakeSession);
        Assert.Throws<InvalidOperationException>(() => client.SendSealed(ContentType.ApplicationData, [1]));
        Assert.Equal(Rsa.Certificate.RawData, client.Server.PeerCertificate!.RawData);
        client.Server.AcceptPeerCertificate();
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    /// <summary>What TLS 1.2 signs are all messages before, each bit of them (RFC 5246 §7.4.8).</summary>
    [Fact]
    public void A_signature_over_anything_else_is_a_decrypt_error_in_TLS_1_2()
    {
        int length;
        using (ScriptedClient12 right = Client12())
        {
            length = right.Messages.Length;
        }

        foreach (int spoiled in new[] { 0, 10, length / 2, length - 1 })
        {
            using ScriptedClient12 client = Client12();
            byte[] content = client.Messages;
            content[Math.Min(spoiled, content.Length - 1)] ^= 1;
            client.AssertAlert(AlertDescription.DecryptError, () => client.SendMessages(client.CertificateVerify(Rsa, Pss, content)));
        }

        // Without the ClientKeyExchange; as TLS 1.3 has it; of another key.
        using ScriptedClient12 early = Client12();
        byte[] before = early.Messages[..^early.ClientKeyExchange().Length];
        early.AssertAlert(AlertDescription.DecryptError, () => early.SendMessages(early.CertificateVerify(Rsa, Pss, before)));

        using ScriptedClient12 newer = Client12();
        byte[] hash = System.Security.Cryptography.SHA256.HashData(newer.Messages);
        byte[] content13 = CertificateVerify.Content(isServer: false, hash, new byte[CertificateVerify.MaxContentLength]).ToArray();
        newer.AssertAlert(AlertDescription.DecryptError, () => newer.SendMessages(newer.CertificateVerify(Rsa, Pss, content13)));
        using ScriptedClient12 other = Client12();
        other.AssertAlert(AlertDescription.DecryptError, () => other.SendMessages(other.CertificateVerify(Credentials.Certificates.Rsa(), Pss)));
    }

    [Fact]
    public void A_signature_over_anything_else_is_a_decrypt_error_in_TLS_1_3()
    {
        // As a server signs; of another transcript; of another key.
        AssertVerify(AlertDescription.DecryptError, client => client.CertificateVerify(Rsa, Pss, asServer: true));
        AssertVerify(AlertDescription.DecryptError, client => client.CertificateVerify(Rsa, Pss, content: CertificateVerify.Content(isServer: false, new byte[32], new byte[CertificateVerify.MaxContentLength]).ToArray()));
        AssertVerify(AlertDescription.DecryptError, client => client.CertificateVerify(Credentials.Certificates.Rsa(), Pss));
    }

    /// <summary>TLS 1.3 has no PKCS #1 (RFC 8446 §4.2.3); neither version has SHA-1 or a scheme of another kind of key.</summary>
    [Fact]
    public void A_wrong_scheme_is_an_illegal_parameter()
    {
        AssertVerify(AlertDescription.IllegalParameter, client => client.CertificateVerify(Rsa, Pkcs1));
        foreach (SignatureScheme named in new[] { P256, (SignatureScheme)0x0201, SignatureScheme.RsaPssPssSha256, SignatureScheme.Ed25519 })
        {
            AssertVerify(AlertDescription.IllegalParameter, client => client.CertificateVerify(Rsa, Pss, named: named));
            using ScriptedClient12 client12 = Client12();
            byte[] message = client12.CertificateVerify(Rsa, Pss);
            Tls.U16((int)named).CopyTo(message, 4);
            client12.AssertAlert(AlertDescription.IllegalParameter, () => client12.SendMessages(message));
        }

        using ScriptedClient12 pkcs1 = Client12();
        pkcs1.SendMessages(pkcs1.CertificateVerify(Rsa, Pkcs1));
        Assert.Equal(HandshakeStatus.NeedsRecord, pkcs1.Server.Status);
    }

    /// <summary>Nobody passes with a certificate alone: they are public.</summary>
    [Fact]
    public void A_certificate_without_its_signature_is_nothing()
    {
        using ScriptedClient12 older = Client12();
        older.AssertAlert(AlertDescription.UnexpectedMessage, older.SendChangeCipherSpec);

        using ScriptedClient newer = Client13();
        newer.SendNoted(ScriptedClient.Certificate(Rsa.Chain));
        byte[] finished = newer.Finished();
        newer.AssertAlert(AlertDescription.UnexpectedMessage, () => newer.SendSealed(finished));
    }

    [Fact]
    public void No_certificate_has_no_signature()
    {
        using var older = new ScriptedClient12(ScriptedClient12.Serve(asksForCertificate: true));
        older.SendHello();
        older.ReadFlight();
        older.SendMessages(ScriptedClient12.Certificate());
        older.SendKeyExchange();
        older.AssertAlert(AlertDescription.UnexpectedMessage, () => older.SendMessages(older.CertificateVerify(Rsa, Pss)));

        using ScriptedClient newer = Client13();
        newer.SendNoted(ScriptedClient.Certificate());
        newer.AssertAlert(AlertDescription.UnexpectedMessage, () => newer.SendSealed(newer.CertificateVerify(Rsa, Pss)));
    }

    /// <summary>A server that asks gets an answer, be it an empty one; one that does not ask gets none.</summary>
    [Fact]
    public void A_certificate_comes_when_it_was_asked_for_and_only_then()
    {
        using ScriptedClient asked = Client13();
        byte[] finished = asked.Finished();
        asked.AssertAlert(AlertDescription.UnexpectedMessage, () => asked.SendSealed(finished));

        using ScriptedClient unasked = ScriptedClient.BeforeFinished();
        unasked.AssertAlert(AlertDescription.UnexpectedMessage, () => unasked.SendSealed(ScriptedClient.Certificate()));
    }

    [Theory]
    [InlineData("01aa000000", AlertDescription.IllegalParameter)]
    [InlineData("00000003000000", AlertDescription.DecodeError)]
    [InlineData("0000000600000130" + "0000", AlertDescription.BadCertificate)]
    [InlineData("00000007000001300000", AlertDescription.DecodeError)]
    public void A_bad_Certificate_message_ends_in_its_alert(string body, AlertDescription expected)
    {
        using ScriptedClient client = Client13();
        client.AssertAlert(expected, () => client.SendSealed(Tls.Message(HandshakeType.Certificate, Convert.FromHexString(body))));
    }

    /// <summary>The server has asked the client for no OCSP response (RFC 8446 §4.4.2).</summary>
    [Fact]
    public void An_extension_beside_the_clients_certificate_is_unsupported()
    {
        using ScriptedClient client = Client13();
        byte[] entry = [.. Tls.Vector24(Rsa.Chain[0]), .. Tls.Vector16(Tls.Extension((int)ExtensionType.StatusRequest, [1], Tls.Vector24([1])))];
        client.AssertAlert(AlertDescription.UnsupportedExtension, () => client.SendSealed(Tls.Message(HandshakeType.Certificate, [0], Tls.Vector24(entry))));
    }

    /// <summary>The verdict on no certificate is the caller's, too; certificate_required is of TLS 1.3 (RFC 8446 §6.2).</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, AlertDescription.HandshakeFailure)]
    [InlineData(SslProtocols.Tls13, AlertDescription.CertificateRequired)]
    public void A_client_without_a_certificate_is_refused_or_taken(SslProtocols protocol, AlertDescription expected)
    {
        bool wasAsked = false;
        ServerHandshakeOptions options = Serve(protocol);
        using (var taken = new HandshakePair(options))
        {
            taken.Verdict = handshake =>
            {
                wasAsked |= handshake is ServerHandshake { PeerCertificate: null };
                return true;
            };
            taken.Run();
            Assert.True(wasAsked);
            Assert.Null(taken.Server.PeerCertificate);
        }

        using var refused = new HandshakePair(options, new ClientHandshakeOptions()) { Verdict = handshake => handshake is ClientHandshake, Refusal = AlertDescription.CertificateRequired };
        Assert.Equal(expected, refused.AlertToClient());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_credential_that_the_server_cannot_verify_is_not_shown(SslProtocols protocol)
    {
        bool wasAsked = false;
        using AskingServer server = new(protocol, request =>
        {
            wasAsked = true;
            Assert.False(request.Accepts(Rsa));
            Assert.True(request.Accepts(TestCertificates.Ecdsa));
            return Rsa;
        });
        Assert.Empty(server.ShownChain([P256]));
        Assert.True(wasAsked);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_signer_elsewhere_that_signs_wrongly_is_found_out_by_the_peer(SslProtocols protocol)
    {
        var wrong = CertificateCredential.Create(Rsa.Certificates, new WrongSigner());
        using var server = new HandshakePair(new ServerHandshakeOptions { Credential = wrong, Protocols = protocol });
        TlsAlertException e = Assert.Throws<TlsAlertException>(server.Run);
        Assert.Equal((AlertDescription.DecryptError, HandshakeStatus.Failed), (e.Description, server.Client.Status));

        using var client = new HandshakePair(Serve(protocol), new ClientHandshakeOptions { SelectCertificate = _ => wrong });
        e = Assert.Throws<TlsAlertException>(client.Run);
        Assert.Equal((AlertDescription.DecryptError, HandshakeStatus.Failed), (e.Description, client.Server.Status));
    }

    /// <summary>What the handshake waits for it waits for: nothing else is taken meanwhile.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void While_a_signature_is_made_elsewhere_nothing_else_goes_on(SslProtocols protocol)
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { Protocols = protocol });
        using var server = new ServerHandshake();
        Assert.Throws<InvalidOperationException>(() => server.ProvideSignature([1]));
        foreach (byte[] record in HandshakePair.SplitRecords(client.Output.Span))
        {
            server.ReceiveRecord(record);
        }

        server.Accept(new ServerHandshakeOptions { Credential = CertificateCredential.Create(Rsa.Certificates, new WrongSigner()), Protocols = protocol });
        Assert.Equal(HandshakeStatus.NeedsSignature, server.Status);
        Assert.Equal(Pss, server.SignatureRequest!.Scheme);
        Assert.Throws<InvalidOperationException>(() => server.ReceiveRecord(Tls.Record(ContentType.ChangeCipherSpec, [1])));
        Assert.Throws<InvalidOperationException>(server.AcceptPeerCertificate);
        Assert.Throws<InvalidOperationException>(server.TakeSession);
        server.ProvideSignature(Rsa.Sign(Pss, server.SignatureRequest.Content.Span));
        Assert.Null(server.SignatureRequest);
        Assert.Equal(HandshakeStatus.NeedsRecord, server.Status);
        Assert.Throws<InvalidOperationException>(() => server.ProvideSignature([1]));
    }

    private static ServerHandshakeOptions Serve(SslProtocols protocol) => new() { Credential = TestCertificates.Ecdsa, Protocols = protocol, RequestClientCertificate = true };

    // A client up to where its CertificateVerify is due.
    private static ScriptedClient12 Client12()
    {
        var client = new ScriptedClient12(ScriptedClient12.Serve(asksForCertificate: true));
        client.SendHello();
        client.ReadFlight();
        client.SendMessages(ScriptedClient12.Certificate(Rsa.Chain));
        client.SendKeyExchange();
        return client;
    }

    // A client up to where its Certificate is due.
    private static ScriptedClient Client13()
    {
        var client = new ScriptedClient(new ServerHandshakeOptions
        {
            Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls13, CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256], RequestClientCertificate = true,
        });
        client.SendHello();
        client.ReadFlight();
        return client;
    }

    private static void AssertVerify(AlertDescription expected, Func<ScriptedClient, byte[]> verify)
    {
        using ScriptedClient client = Client13();
        client.SendNoted(ScriptedClient.Certificate(Rsa.Chain));
        byte[] message = verify(client);
        client.AssertAlert(expected, () => client.SendSealed(message));
    }

    private sealed class WrongSigner : ICertificateSigner
    {
        public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Rsa.Sign(scheme, "something else"u8));
    }

    /// <summary>A scripted server of either version that asks for a certificate.</summary>
    private sealed class AskingServer(SslProtocols protocol, Func<ClientCertificateRequest, CertificateCredential?> select) : IDisposable
    {
        private readonly ClientHandshakeOptions _options = new()
        {
            ServerName = "localhost", Protocols = protocol, SelectCertificate = select, CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256, (TlsCipherSuite)ScriptedClient12.EcdheEcdsaAes128],
        };

        private IDisposable? _server;

        /// <summary>The certificate list that the client answers with.</summary>
        public byte[] ShownChain(SignatureScheme[] accepted)
        {
            if (protocol == SslProtocols.Tls12)
            {
                var older = new ScriptedServer12(_options);
                _server = older;
                older.Exchange(ScriptedServer12.CertificateRequest(accepted));
                Assert.Null(older.Find(HandshakeType.CertificateVerify));
                return older.Find(HandshakeType.Certificate)![7..];
            }

            ScriptedServer newer = ScriptedServer.After(HandshakeType.EncryptedExtensions, _options);
            _server = newer;
            newer.SendSealed(Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Tls.Vector16(Tls.U16List([.. accepted.Select(scheme => (int)scheme)]))))));
            newer.SendSealed(newer.Certificate());
            newer.SendSealed(newer.CertificateVerify());
            newer.Client.AcceptPeerCertificate();
            newer.SendSealed(newer.Finished());
            List<byte[]> messages = Tls.SplitMessages(newer.OpenOutput()[0].Content);
            Assert.Equal(2, messages.Count);
            return messages[0][8..];
        }

        public void Dispose() => _server?.Dispose();
    }
}
