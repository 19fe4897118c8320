using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>Which sessions are resumed, and which are not: in both versions (RFC 8446 §2.2, RFC 5077).</summary>
public sealed class ResumptionTests
{
    private readonly FakeClock _clock = new();
    private readonly TicketKeyRing _ring;

    public ResumptionTests() => _ring = new TicketKeyRing(clock: _clock);

    public static TheoryData<SslProtocols> Protocols { get; } = [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_session_is_resumed_with_the_certificate_that_began_it(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        Assert.Equal((protocol, "localhost", Resuming.Aes128(protocol)), (session.Protocol, session.ServerName, session.CipherSuite));
        Assert.Equal(protocol == SslProtocols.Tls13, session.IsForOneUse);
        Assert.DoesNotContain("secret", session.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(_clock.Now + TimeSpan.FromHours(2), session.ExpiresAt);

        using var pair = new HandshakePair(Server(protocol), Client(protocol, session));
        Assert.True(Resuming.Resumes(pair));
        using X509Certificate2 certificate = pair.Client.PeerCertificate!;
        Assert.Equal(TestCertificates.Ecdsa.Certificate.RawData, certificate.RawData);
        Assert.Null(pair.Server.PeerCertificate);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_resumed_session_is_judged_again_before_it_is_complete(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        using var pair = new HandshakePair(Server(protocol), Client(protocol, session)) { Verdict = handshake => handshake is ServerHandshake };
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal((AlertDescription.CertificateUnknown, true), (e.Description, e.ReceivedFromPeer));
        Assert.Equal(HandshakeStatus.Failed, pair.Server.Status);
        Assert.Throws<InvalidOperationException>(pair.Server.TakeSession);
    }

    /// <summary>The ticket of a resumed session is good for the next one, and the age counts from the first (RFC 8446 §4.6.1).</summary>
    [Fact]
    public void A_chain_of_TLS_1_3_sessions_ends_after_seven_days()
    {
        ServerHandshakeOptions server = Server(SslProtocols.Tls13, lifetime: TimeSpan.FromDays(30), ring: new TicketKeyRing([TicketKey.Create()]));
        ClientSession session = Resuming.Begin(server, Client(SslProtocols.Tls13));
        DateTimeOffset begun = _clock.Now;
        for (int day = 1; day < 7; day++)
        {
            _clock.Now = begun + TimeSpan.FromDays(day);
            using var pair = new HandshakePair(server, Client(SslProtocols.Tls13, session));
            pair.Run();
            using TlsSession client = pair.Client.TakeSession();
            Assert.True(client.IsResumed);
            session.Dispose();
            session = Resuming.TakeSessions(pair, client)[0];
            Assert.Equal(begun + TimeSpan.FromDays(7), session.ExpiresAt);
        }

        _clock.Now = begun + TimeSpan.FromDays(7);
        Assert.False(Resuming.Resumes(server, Client(SslProtocols.Tls13, session)));
        session.Dispose();
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_session_is_resumed_until_its_lifetime_is_over(SslProtocols protocol)
    {
        ServerHandshakeOptions server = Server(protocol, lifetime: TimeSpan.FromMinutes(10));
        using ClientSession session = Resuming.Begin(server, Client(protocol));
        DateTimeOffset end = _clock.Now + TimeSpan.FromMinutes(10);
        Assert.Equal(end, session.ExpiresAt);
        _clock.Now = end - TimeSpan.FromSeconds(1);
        Assert.True(Resuming.Resumes(server, Client(protocol, session)));

        // A client whose clock stands still offers it; the server knows better.
        var stopped = new FakeClock { Now = _clock.Now };
        _clock.Now = end;
        Assert.False(Resuming.Resumes(server, Client(protocol, session, clock: stopped)));

        // A client does not offer what is over.
        Assert.False(Resuming.Resumes(Server(protocol, lifetime: TimeSpan.FromHours(1)), Client(protocol, session)));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Servers_with_the_same_keys_resume_each_others_sessions(SslProtocols protocol)
    {
        using var key = TicketKey.Create();
        using var same = new TicketKey(key.Export());
        using var other = TicketKey.Create();
        using ClientSession session = Resuming.Begin(Server(protocol, ring: new TicketKeyRing([key])), Client(protocol));
        Assert.True(Resuming.Resumes(Server(protocol, ring: new TicketKeyRing([same])), Client(protocol, session)));

        // The second key opens, too. Without the key there is a full handshake.
        Assert.True(Resuming.Resumes(Server(protocol, ring: new TicketKeyRing([other, same])), Client(protocol, session)));
        Assert.False(Resuming.Resumes(Server(protocol, ring: new TicketKeyRing([other])), Client(protocol, session)));
        Assert.False(Resuming.Resumes(Server(protocol, ring: null), Client(protocol, session)));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_is_for_the_name_that_it_was_given_for(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));

        // Our client does not even offer it under another name; in other letters the name is the same.
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, session, name: "other.host")));
        Assert.True(Resuming.Resumes(Server(protocol), Client(protocol, session, name: "LocalHost")));
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, session, name: string.Empty)));

        // A client that does: the server makes a full handshake.
        using ClientSession renamed = Resuming.With(session, "localhost"u8, "localhosu"u8);
        Assert.Equal("localhosu", renamed.ServerName);
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, renamed, name: "localhosu")));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_is_for_the_certificate_that_was_shown(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        Assert.False(Resuming.Resumes(Server(protocol, credential: TestCertificates.Ecdsa384), Client(protocol, session)));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_is_for_the_same_demand_of_a_client_certificate(SslProtocols protocol)
    {
        using ClientSession without = Resuming.Begin(Server(protocol), Client(protocol));
        using ClientSession with = Resuming.Begin(Server(protocol, asksForCertificate: true), Client(protocol));
        Assert.False(Resuming.Resumes(Server(protocol, asksForCertificate: true), Client(protocol, without)));
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, with)));
        Assert.True(Resuming.Resumes(Server(protocol, asksForCertificate: true), Client(protocol, with)));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_is_for_a_suite_that_is_still_allowed(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        ServerHandshakeOptions stricter = Server(protocol, suites: [Resuming.Aes256(protocol)]);
        Assert.False(Resuming.Resumes(stricter, Client(protocol, session)));

        // The client offers no session whose suite it does not offer.
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, session, suites: [Resuming.Aes256(protocol)])));
    }

    [Fact]
    public void A_TLS_1_3_session_goes_on_with_any_suite_of_its_hash_and_with_no_other()
    {
        using ClientSession session = Resuming.Begin(Server(SslProtocols.Tls13), Client(SslProtocols.Tls13));
        TlsCipherSuite[] sameHash = [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256];
        TlsCipherSuite[] otherHash = [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256];
        Assert.True(Resuming.Resumes(Server(SslProtocols.Tls13, suites: sameHash), Client(SslProtocols.Tls13, session)));
        Assert.False(Resuming.Resumes(Server(SslProtocols.Tls13, suites: otherHash), Client(SslProtocols.Tls13, session)));
    }

    /// <summary>A session belongs to one version: the secret of the one is never that of the other.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_is_for_its_version(SslProtocols protocol)
    {
        const SslProtocols Both = SslProtocols.Tls12 | SslProtocols.Tls13;
        SslProtocols other = Both & ~protocol;
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        Assert.False(Resuming.Resumes(Server(other), Client(Both, session)));
        Assert.False(Resuming.Resumes(Server(Both), Client(other, session)));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_forged_or_cut_ticket_means_a_full_handshake(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        int length = session.Ticket.Length;

        // The key's name, the salt, the body, the tag.
        foreach (int position in new[] { 0, 15, 16, 47, 48, length - 17, length - 1 })
        {
            using ClientSession forged = Resuming.WithTicket(session, ticket =>
            {
                ticket[position] ^= 1;
                return ticket;
            });
            Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, forged)));
        }

        foreach (int cut in new[] { 1, 15, 16, 47, 48, 63, 64, length - 1 })
        {
            using ClientSession shortened = Resuming.WithTicket(session, ticket => ticket[..cut]);
            Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, shortened)));
        }

        using ClientSession grown = Resuming.WithTicket(session, ticket => [.. ticket, 0]);
        Assert.False(Resuming.Resumes(Server(protocol), Client(protocol, grown)));
    }

    /// <summary>Who has the ticket alone, which stands in the clear, has nothing.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls13, AlertDescription.DecryptError)]
    [InlineData(SslProtocols.Tls12, AlertDescription.BadRecordMac)]
    public void A_ticket_without_its_secret_is_worth_nothing(SslProtocols protocol, AlertDescription expected)
    {
        using ClientSession session = Resuming.Begin(Server(protocol), Client(protocol));
        byte[] secret = session.State.Secret.Span.ToArray();
        using ClientSession stolen = Resuming.With(session, secret, new byte[secret.Length]);
        using var pair = new HandshakePair(Server(protocol), Client(protocol, stolen));
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal(expected, e.Description);
    }

    /// <summary>The binder covers the ClientHello up to itself (RFC 8446 §4.2.11.2).</summary>
    [Fact]
    public void A_changed_ClientHello_or_binder_is_a_decrypt_error()
    {
        using ClientSession session = Resuming.Begin(Server(SslProtocols.Tls13), Client(SslProtocols.Tls13));

        // The random; the last byte of the binder; the obfuscated age before the binders.
        foreach (Index position in new Index[] { RecordHeader.Size + 6, ^1, ^36 })
        {
            using var pair = new HandshakePair(Server(SslProtocols.Tls13), Client(SslProtocols.Tls13, session));
            pair.Tamper = (fromClient, number, record) =>
            {
                if (fromClient && number == 0)
                {
                    record[position] ^= 1;
                }

                return record;
            };
            TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
            Assert.Equal((AlertDescription.DecryptError, false), (e.Description, e.ReceivedFromPeer));
            Assert.Equal(HandshakeStatus.Failed, pair.Server.Status);
        }
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [InlineData(TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    public void A_session_is_resumed_after_a_HelloRetryRequest(TlsCipherSuite suite)
    {
        using ClientSession session = Resuming.Begin(Server(SslProtocols.Tls13, suites: [suite]), Client(SslProtocols.Tls13));
        using var pair = new HandshakePair(
            Server(SslProtocols.Tls13, suites: [suite], groups: [NamedGroup.Secp384r1]),
            Client(SslProtocols.Tls13, session, groups: [NamedGroup.X25519, NamedGroup.Secp384r1]));
        Assert.True(Resuming.Resumes(pair));
        Assert.True(pair.Server.ClientHello!.HasPreSharedKey);
    }

    /// <summary>RFC 8446 §4.1.4: the client takes back what does not go with the chosen suite.</summary>
    [Fact]
    public void A_HelloRetryRequest_with_another_hash_ends_the_offer()
    {
        using ClientSession session = Resuming.Begin(Server(SslProtocols.Tls13), Client(SslProtocols.Tls13));
        using var pair = new HandshakePair(
            Server(SslProtocols.Tls13, suites: [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256], groups: [NamedGroup.Secp384r1]),
            Client(SslProtocols.Tls13, session, groups: [NamedGroup.X25519, NamedGroup.Secp384r1]));
        Assert.False(Resuming.Resumes(pair));
        Assert.False(pair.Server.ClientHello!.HasPreSharedKey);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void A_client_that_wants_no_tickets_keeps_none(SslProtocols protocol, bool wants)
    {
        using var pair = new HandshakePair(Server(protocol), new ClientHandshakeOptions { ServerName = "localhost", Protocols = protocol, RequestTickets = wants });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        List<ClientSession> sessions = Resuming.TakeSessions(pair, client);
        Assert.Equal(!wants ? 0 : protocol == SslProtocols.Tls13 ? 2 : 1, sessions.Count);
        sessions.ForEach(session => session.Dispose());
    }

    /// <summary>Application protocols are chosen anew in every handshake (RFC 7301 §3.1).</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void The_application_protocol_of_a_resumed_session_is_chosen_anew(SslProtocols protocol)
    {
        using ClientSession session = Resuming.Begin(
            Server(protocol, alpn: [SslApplicationProtocol.Http2]), Client(protocol, alpn: [SslApplicationProtocol.Http2]));
        using var pair = new HandshakePair(
            Server(protocol, alpn: [SslApplicationProtocol.Http11]), Client(protocol, session, alpn: [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]));
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        Assert.True(client.IsResumed);
        Assert.Equal((SslApplicationProtocol.Http11, SslApplicationProtocol.Http11), (client.ApplicationProtocol, server.ApplicationProtocol));
    }

    /// <summary>What the client showed is in the ticket, sealed, and judged again (RFC 8446 §4.6.2).</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void The_clients_certificate_stays_with_its_session(SslProtocols protocol)
    {
        ServerHandshakeOptions server = Server(protocol, asksForCertificate: true);
        using ClientSession session = Resuming.Begin(server, Client(protocol, certificate: TestCertificates.Rsa));
        using (var pair = new HandshakePair(server, Client(protocol, session)))
        {
            Assert.True(Resuming.Resumes(pair));
            Assert.Equal(TestCertificates.Rsa.Certificate.RawData, pair.Server.PeerCertificate!.RawData);
        }

        // A server that changed its mind about this client.
        using var refused = new HandshakePair(server, Client(protocol, session)) { Verdict = handshake => handshake is ClientHandshake };
        Assert.Equal(AlertDescription.CertificateUnknown, refused.AlertToClient());
        Assert.Throws<InvalidOperationException>(refused.Server.TakeSession);
    }

    [Fact]
    public void A_chain_that_no_ticket_has_room_for_is_not_resumed()
    {
        CertificateCredential large = Credentials.Certificates.Ecdsa([.. Enumerable.Range(0, 300).Select(i => $"a-rather-long-name-of-host-number-{i}.example")]);
        foreach (SslProtocols protocol in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            using var pair = new HandshakePair(Server(protocol, asksForCertificate: true), Client(protocol, certificate: large));
            pair.Run();
            using TlsSession client = pair.Client.TakeSession();
            Assert.Empty(Resuming.TakeSessions(pair, client));
        }
    }

    private ServerHandshakeOptions Server(
        SslProtocols protocol, CertificateCredential? credential = null, TlsCipherSuite[]? suites = null, NamedGroup[]? groups = null,
        TimeSpan? lifetime = null, bool asksForCertificate = false, SslApplicationProtocol[]? alpn = null) =>
        Server(protocol, _ring, credential, suites, groups, lifetime, asksForCertificate, alpn);

    private ServerHandshakeOptions Server(
        SslProtocols protocol, TicketKeyRing? ring, CertificateCredential? credential = null, TlsCipherSuite[]? suites = null, NamedGroup[]? groups = null,
        TimeSpan? lifetime = null, bool asksForCertificate = false, SslApplicationProtocol[]? alpn = null) => new()
    {
        Credential = credential ?? TestCertificates.Ecdsa,
        Protocols = protocol,
        CipherSuites = suites ?? SupportedParameters.CipherSuites,
        Groups = groups ?? SupportedParameters.Groups,
        Tickets = ring,
        TicketLifetime = lifetime ?? TimeSpan.FromHours(2),
        RequestClientCertificate = asksForCertificate,
        ApplicationProtocols = alpn ?? [],
        Clock = _clock,
    };

    private ClientHandshakeOptions Client(
        SslProtocols protocol, ClientSession? session = null, string name = "localhost", TlsCipherSuite[]? suites = null, NamedGroup[]? groups = null,
        FakeClock? clock = null, SslApplicationProtocol[]? alpn = null, CertificateCredential? certificate = null) => new()
    {
        ServerName = name,
        Protocols = protocol,
        Session = session,
        CipherSuites = suites ?? SupportedParameters.CipherSuites,
        Groups = groups ?? SupportedParameters.Groups,
        ApplicationProtocols = alpn ?? [],
        SelectCertificate = certificate is null ? null : _ => certificate,
        Clock = clock ?? _clock,
    };
}
