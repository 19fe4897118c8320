using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>pre_shared_key (RFC 8446 §4.2.11) between one end of ours and one that says what it likes.</summary>
public sealed class PreSharedKeyTests
{
    private const TlsCipherSuite Aes128 = TlsCipherSuite.TLS_AES_128_GCM_SHA256;
    private const TlsCipherSuite Aes256 = TlsCipherSuite.TLS_AES_256_GCM_SHA384;

    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private readonly TicketKeyRing _ring = new();

    [Fact]
    public void The_server_takes_the_first_key_that_it_can()
    {
        using ScriptedClient client = Client(("nothing"u8.ToArray(), new byte[32]), (Ticket(), Key), (Ticket(), Key));
        client.ChosenKey = Key;
        client.SendHello();
        client.ReadFlight();
        Assert.Equal([HandshakeType.EncryptedExtensions, HandshakeType.Finished], client.ServerFlight.Select(message => (HandshakeType)message[0]));
        client.SendSealed(client.Finished());
        using TlsSession session = client.Server.TakeSession();
        Assert.True(session.IsResumed);
    }

    /// <summary>Each attempt costs: a client gets four.</summary>
    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(300, false)]
    public void The_server_tries_a_few_keys_only(int useless, bool isFound)
    {
        using ScriptedClient client = Client([.. Enumerable.Repeat(("nothing"u8.ToArray(), new byte[32]), useless), (Ticket(), Key)]);
        client.ChosenKey = isFound ? Key : [];
        client.SendHello();
        client.ReadFlight();
        Assert.Equal(isFound ? 2 : 4, client.ServerFlight.Count);
    }

    /// <summary>We want a key agreement always (RFC 8446 §4.2.9): psk_ke alone has no forward secrecy.</summary>
    [Theory]
    [InlineData("0100", false)]
    [InlineData("0101", true)]
    [InlineData("020001", true)]
    [InlineData("020100", true)]
    [InlineData("010a", false)]
    public void A_key_without_a_key_agreement_is_not_taken(string modes, bool isTaken)
    {
        using ScriptedClient client = Client((Ticket(), Key));
        client.Hello.Set(ExtensionType.PskKeyExchangeModes, Convert.FromHexString(modes));
        client.ChosenKey = isTaken ? Key : [];
        client.SendHello();
        client.ReadFlight();
        Assert.Equal(isTaken ? 2 : 4, client.ServerFlight.Count);
        client.SendSealed(client.Finished());

        // And tickets go to those only that can use them.
        Assert.Equal(isTaken, client.TakeOutput().Count != 0);
    }

    [Fact]
    public void The_binder_of_the_key_that_is_taken_must_be_right()
    {
        using ScriptedClient client = Client((Ticket(), new byte[32]));
        client.AssertAlert(AlertDescription.DecryptError, client.SendHello);

        // That of a key which is not taken may be anything.
        using ScriptedClient other = Client((Ticket(), Key), (Ticket(), new byte[32]));
        other.ChosenKey = Key;
        other.SendHello();
        other.ReadFlight();
        Assert.Equal(2, other.ServerFlight.Count);
    }

    [Fact]
    public void A_binder_of_another_length_is_a_decrypt_error()
    {
        using ScriptedClient client = Client();
        byte[] identity = [.. Tls.Vector16(Ticket()), 0, 0, 0, 0];
        client.Hello.Set(ExtensionType.PreSharedKey, Tls.Vector16(identity), Tls.Vector16(Tls.Vector8(new byte[48])));
        client.AssertAlert(AlertDescription.DecryptError, client.SendHello);
    }

    [Fact]
    public void Keys_and_binders_are_as_many_and_well_formed()
    {
        byte[] identity = [.. Tls.Vector16([1]), 0, 0, 0, 0];
        byte[] binder = Tls.Vector8(new byte[32]);
        AssertHello(AlertDescription.IllegalParameter, Tls.Vector16(identity), Tls.Vector16(binder, binder));
        AssertHello(AlertDescription.IllegalParameter, Tls.Vector16(identity, identity), Tls.Vector16(binder));
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(identity), Tls.Vector16(Tls.Vector8(new byte[31]), [0]));
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(), Tls.Vector16(binder));
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(identity), Tls.Vector16());
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(Tls.Vector16(), [0, 0, 0, 0], [0]), Tls.Vector16(binder));
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(identity[..^1]), Tls.Vector16(binder));
        AssertHello(AlertDescription.DecodeError, Tls.Vector16(identity), Tls.Vector16(binder), [0]);
    }

    /// <summary>RFC 8446 §4.2.9</summary>
    [Fact]
    public void Keys_without_their_modes_are_a_missing_extension()
    {
        using ScriptedClient client = Client((Ticket(), Key));
        client.Hello.Remove(ExtensionType.PskKeyExchangeModes);
        client.AssertAlert(AlertDescription.MissingExtension, client.SendHello);
    }

    /// <summary>The client has not been sent a certificate, so it sends none either (RFC 8446 §4.3.2).</summary>
    [Fact]
    public void A_resumed_client_sends_nothing_but_Finished()
    {
        foreach (int type in Enumerable.Range(0, 256).Where(type => type != (int)HandshakeType.Finished))
        {
            using ScriptedClient client = Client((Ticket(asksForCertificate: true), Key), asksForCertificate: true);
            client.ChosenKey = Key;
            client.SendHello();
            client.ReadFlight();
            client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(Tls.Message((HandshakeType)type, new byte[12])));
        }
    }

    /// <summary>The verdict on a resumed client is asked for, with the certificate that the ticket has.</summary>
    [Fact]
    public void The_verdict_on_a_resumed_client_is_asked_for()
    {
        using ScriptedClient client = Client((Ticket(asksForCertificate: true), Key), asksForCertificate: true);
        client.ChosenKey = Key;
        client.SendHello();
        client.ReadFlight();
        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, client.Server.Status);
        Assert.Equal(TestCertificates.Rsa.Certificate.RawData, client.Server.PeerCertificate!.RawData);
        Assert.Throws<InvalidOperationException>(client.Server.TakeSession);
    }

    [Fact]
    public void A_server_that_resumes_sends_Finished_and_no_certificate()
    {
        using ScriptedServer server = Resumed();
        server.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
        server.SendHello();
        server.SendSealed(ScriptedServer.EncryptedExtensions());
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, server.Client.Status);
        Assert.Equal(TestCertificates.Ecdsa.Certificate.RawData, server.Client.PeerCertificate!.RawData);
        server.Client.AcceptPeerCertificate();
        server.SendSealed(server.Finished());
        using TlsSession session = server.Client.TakeSession();
        Assert.True(session.IsResumed);

        foreach (int type in Enumerable.Range(0, 256).Where(type => type != (int)HandshakeType.Finished))
        {
            using ScriptedServer other = Resumed();
            other.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
            other.SendHello();
            other.SendSealed(ScriptedServer.EncryptedExtensions());
            other.Client.AcceptPeerCertificate();
            other.AssertAlert(AlertDescription.UnexpectedMessage, () => other.SendSealed(Tls.Message((HandshakeType)type, new byte[12])));
        }
    }

    /// <summary>Whoever resumes must know the session's key: not even EncryptedExtensions can be read otherwise.</summary>
    [Fact]
    public void A_server_without_the_key_does_not_get_far()
    {
        using ScriptedServer server = Resumed();
        server.PreSharedKey = [];
        server.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
        server.SendHello();
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => server.SendSealed(ScriptedServer.EncryptedExtensions()));
        Assert.Equal(AlertDescription.BadRecordMac, e.Description);
        Assert.Null(server.Client.PeerCertificate);
    }

    [Fact]
    public void A_server_that_does_not_resume_shows_its_certificate()
    {
        using ScriptedServer server = Resumed();
        server.PreSharedKey = [];
        server.SendHello();
        server.SendSealed(ScriptedServer.EncryptedExtensions());
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(server.Finished()));
    }

    [Theory]
    [InlineData("0001", AlertDescription.IllegalParameter)]
    [InlineData("ffff", AlertDescription.IllegalParameter)]
    [InlineData("00", AlertDescription.DecodeError)]
    [InlineData("000000", AlertDescription.DecodeError)]
    public void A_key_that_was_not_offered_ends_in_its_alert(string selected, AlertDescription expected)
    {
        using ScriptedServer server = Resumed();
        server.Hello.Add((int)ExtensionType.PreSharedKey, Convert.FromHexString(selected));
        server.AssertAlert(expected, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    /// <summary>RFC 8446 §4.2.11: a key goes with the suites of its hash.</summary>
    [Fact]
    public void A_key_of_another_hash_is_an_illegal_parameter()
    {
        using ScriptedServer server = Resumed(Aes256);
        server.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    [Fact]
    public void A_key_without_a_key_agreement_is_a_missing_extension()
    {
        using ScriptedServer server = Resumed();
        server.Hello.Remove(ExtensionType.KeyShare);
        server.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
        server.AssertAlert(AlertDescription.MissingExtension, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    /// <summary>After a HelloRetryRequest whose suite has another hash the key is not offered any more.</summary>
    [Fact]
    public void A_key_that_was_taken_back_is_an_unsupported_extension()
    {
        using ScriptedServer server = Resumed(Aes256);
        Assert.True(server.ClientHello.HasPreSharedKey);
        server.SendRetry(server.HelloRetryRequest());
        Assert.False(server.ClientHello.HasPreSharedKey);
        server.Hello = server.ServerHello(NamedGroup.Secp256r1);
        server.Hello.Add((int)ExtensionType.PreSharedKey, Tls.U16(0));
        server.AssertAlert(AlertDescription.UnsupportedExtension, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    private static void AssertHello(AlertDescription expected, params byte[][] extension)
    {
        using var client = new ScriptedClient();
        client.Hello.Set(ExtensionType.PskKeyExchangeModes, [1, 1]);
        client.Hello.Set(ExtensionType.PreSharedKey, extension);
        client.AssertAlert(expected, client.SendHello);
    }

    private static ScriptedServer Resumed(TlsCipherSuite suite = Aes128)
    {
        CipherSuite found = CipherSuite.Find(suite)!;
        byte[] key = new byte[found.HashLength];
        Key.CopyTo(key, 0);
        var state = new SessionState
        {
            Suite = found,
            Secret = new SecretBytes(key),
            ServerName = "localhost",
            AuthenticatedAt = DateTimeOffset.UtcNow,
            IssuedAt = DateTimeOffset.UtcNow,
            PeerChain = TestCertificates.Ecdsa.Chain,
        };
        using var session = new ClientSession(state, [1, 2, 3], lifetime: 3600, ageAdd: 0);
        return new ScriptedServer(new ClientHandshakeOptions { ServerName = "localhost", CipherSuites = [Aes128, Aes256], Session = session, Groups = [NamedGroup.X25519, NamedGroup.Secp256r1] })
        {
            PreSharedKey = key,
        };
    }

    private ScriptedClient Client(params (byte[] Ticket, byte[] Key)[] keys)
    {
        var client = new ScriptedClient(Options(asksForCertificate: false));
        client.Hello.Set(ExtensionType.PskKeyExchangeModes, [1, 1]);
        client.PreSharedKeys.AddRange(keys);
        return client;
    }

    private ScriptedClient Client((byte[] Ticket, byte[] Key) key, bool asksForCertificate)
    {
        var client = new ScriptedClient(Options(asksForCertificate));
        client.Hello.Set(ExtensionType.PskKeyExchangeModes, [1, 1]);
        client.PreSharedKeys.Add(key);
        return client;
    }

    private ServerHandshakeOptions Options(bool asksForCertificate) => new()
    {
        Credential = TestCertificates.Ecdsa,
        Protocols = SslProtocols.Tls13,
        CipherSuites = [Aes128],
        Tickets = _ring,
        RequestClientCertificate = asksForCertificate,
    };

    // A ticket as the server would have given it.
    private byte[] Ticket(bool asksForCertificate = false)
    {
        using var state = new SessionState
        {
            Suite = CipherSuite.Find(Aes128)!,
            Secret = new SecretBytes(Key),
            ServerName = "localhost",
            AuthenticatedAt = DateTimeOffset.UtcNow,
            IssuedAt = DateTimeOffset.UtcNow,
            IsCertificateRequested = asksForCertificate,
            OwnCertificateHash = TestCertificates.Ecdsa.CertificateHash,
            PeerChain = asksForCertificate ? TestCertificates.Rsa.Chain : [],
        };
        return ServerTickets.Seal(_ring, state)!;
    }
}
