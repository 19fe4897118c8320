using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;

namespace KTls.Handshake.Tests;

/// <summary>Tickets that are not the server's, not for this server or name, not in time, or not the client's own.</summary>
public sealed class TicketTests
{
    private const string Name = "localhost";

    public static TheoryData<SslProtocols> Protocols => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_servers_own_ticket_resumes_the_session(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        Assert.True(Resumes(Server(protocol, ring), session, Name));
    }

    /// <summary>A client comes with one and needs one in its place (RFC 8446 §C.4).</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(8, 1)]
    public void A_resumed_session_gets_one_new_ticket(int inFull, int inResumed)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(SslProtocols.Tls13, ring), Name);
        var options = new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Tickets = ring, TicketCount = inFull };
        Assert.Equal(inFull, CountTickets(options, session: null));
        Assert.Equal(inResumed, CountTickets(options, session));
    }

    /// <summary>Nobody can tell a changed ticket from one of another server: the handshake is a full one (RFC 8446 §4.2.11, RFC 5077 §3.1).</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_with_any_byte_changed_is_not_taken(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        for (int i = 0; i < session.Ticket.Length; i++)
        {
            byte[] ticket = session.Ticket.ToArray();
            ticket[i] ^= 0x40;
            using ClientSession forged = WithTicket(session, ticket);
            Assert.False(Resumes(Server(protocol, ring), forged, Name));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_of_another_length_is_not_taken(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        byte[] ticket = session.Ticket.ToArray();
        foreach (byte[] other in new[] { ticket[..^1], [.. ticket, 0], ticket[..16], ticket[..48], ticket[..64], ticket[..1], new byte[ticket.Length], new byte[12_000] })
        {
            using ClientSession forged = WithTicket(session, other);
            Assert.False(Resumes(Server(protocol, ring), forged, Name));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_under_other_keys_is_not_taken(SslProtocols protocol)
    {
        using ClientSession session = Establish(Server(protocol, new TicketKeyRing()), Name);
        Assert.False(Resumes(Server(protocol, new TicketKeyRing()), session, Name));
    }

    /// <summary>What was proved for one name says nothing about another, though the keys of the tickets are the same (RFC 6066 §3).</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_for_another_name_is_not_taken(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), "one.example");

        // Our client would not offer it; one that claims it to be for this name does.
        Assert.False(Offers(session, "other.example"));
        using ClientSession claimed = ForName(session, "other.example");
        Assert.True(Offers(claimed, "other.example"));
        Assert.False(Resumes(Server(protocol, ring), claimed, "other.example"));
        Assert.True(Resumes(Server(protocol, ring), session, "one.example"));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_of_a_server_with_another_certificate_is_not_taken(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        Assert.False(Resumes(Server(protocol, ring, credential: TestCertificates.Ecdsa384), session, Name));
    }

    /// <summary>A ticket of a server that asks for no client certificate does not open one that does, though they share their keys.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_does_not_stand_for_a_client_certificate(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        Assert.False(Resumes(Server(protocol, ring, asksClient: true), session, Name));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_ticket_that_is_too_old_is_not_taken(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        Assert.True(Resumes(Server(protocol, ring, clock: new Clock(TimeSpan.FromMinutes(119))), session, Name));
        Assert.False(Resumes(Server(protocol, ring, clock: new Clock(TimeSpan.FromMinutes(121))), session, Name));
    }

    /// <summary>In TLS 1.3 each resumption brings a new ticket, and none of them is good after seven days (RFC 8446 §4.6.1).</summary>
    [Fact]
    public void A_session_is_not_kept_alive_by_resuming_it()
    {
        // The client's clock stands still: it is the server that must refuse.
        const SslProtocols Protocol = SslProtocols.Tls13;
        var ring = new TicketKeyRing(TimeSpan.FromDays(30));
        ClientSession session = Establish(Server(Protocol, ring), Name);
        for (int hours = 1; hours <= 7 * 24; hours++)
        {
            using ClientSession previous = session;
            session = TryEstablish(Server(Protocol, ring, clock: new Clock(TimeSpan.FromHours(hours))), Name, previous, out bool isResumed)!;
            Assert.Equal(hours < 7 * 24, isResumed);
        }

        session.Dispose();
    }

    /// <summary>A ticket goes over the wire in the clear. Whoever took it from there lacks the secret: the binder is wrong (RFC 8446 §4.2.11.2).</summary>
    [Fact]
    public void A_stolen_ticket_is_a_decrypt_error_in_TLS_1_3()
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(SslProtocols.Tls13, ring), Name);
        using ClientSession stolen = WithoutSecret(session);
        using var pair = new HandshakePair(Server(SslProtocols.Tls13, ring), Client(SslProtocols.Tls13, Name, stolen));
        AssertServerRefuses(pair, AlertDescription.DecryptError);
    }

    /// <summary>TLS 1.2 has no binder, but the thief cannot read the server's Finished, nor make the client's.</summary>
    [Fact]
    public void A_stolen_ticket_is_of_no_use_in_TLS_1_2()
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(SslProtocols.Tls12, ring), Name);
        using ClientSession stolen = WithoutSecret(session);
        using var pair = new HandshakePair(Server(SslProtocols.Tls12, ring), Client(SslProtocols.Tls12, Name, stolen));
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal(AlertDescription.BadRecordMac, e.Description);
        Assert.Equal(HandshakeStatus.NeedsRecord, pair.Server.Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    public void Every_byte_of_the_binder_counts(int fromTheEnd)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(SslProtocols.Tls13, ring), Name);
        using var pair = new HandshakePair(Server(SslProtocols.Tls13, ring), Client(SslProtocols.Tls13, Name, session));
        pair.Tamper = (fromClient, number, record) =>
        {
            if (fromClient && number == 0)
            {
                // The binder of the one ticket is the last field of the ClientHello.
                record[^fromTheEnd] ^= 1;
            }

            return record;
        };
        AssertServerRefuses(pair, AlertDescription.DecryptError);
    }

    /// <summary>What a client once sent, sent once more: the server's random, or key share, is another one.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_replayed_handshake_does_not_complete(SslProtocols protocol)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Establish(Server(protocol, ring), Name);
        var sent = new List<byte[]>();
        using (var pair = new HandshakePair(Server(protocol, ring), Client(protocol, Name, session)))
        {
            pair.Tamper = (fromClient, _, record) =>
            {
                if (fromClient)
                {
                    sent.Add([.. record]);
                }

                return record;
            };
            pair.Run();
            using TlsSession done = pair.Server.TakeSession();
            Assert.True(done.IsResumed);
        }

        using var server = new ServerHandshake();
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => sent.ForEach(record =>
        {
            server.ReceiveRecord(record);
            if (server.Status == HandshakeStatus.NeedsServerOptions)
            {
                server.Accept(Server(protocol, ring));
            }
        }));
        Assert.Equal((AlertDescription.BadRecordMac, false), (e.Description, e.ReceivedFromPeer));
        Assert.Equal(HandshakeStatus.Failed, server.Status);
        Assert.False(server.Output.IsEmpty);
    }

    private static ServerHandshakeOptions Server(SslProtocols protocol, TicketKeyRing ring, CertificateCredential? credential = null, bool asksClient = false, TimeProvider? clock = null) => new()
    {
        Credential = credential ?? TestCertificates.Ecdsa,
        Protocols = protocol,
        Tickets = ring,
        RequestClientCertificate = asksClient,
        Clock = clock ?? TimeProvider.System,
    };

    private static ClientHandshakeOptions Client(SslProtocols protocol, string name, ClientSession? session) => new()
    {
        ServerName = name,
        Protocols = protocol,
        Session = session,
    };

    private static ClientSession Establish(ServerHandshakeOptions server, string name) =>
        TryEstablish(server, name, session: null, out _) ?? throw new InvalidOperationException("The server gave no ticket.");

    private static bool Resumes(ServerHandshakeOptions server, ClientSession session, string name)
    {
        TryEstablish(server, name, session, out bool isResumed)?.Dispose();
        return isResumed;
    }

    // A whole handshake, whose ends must agree on whether it was resumed; returns the session of the new ticket.
    private static ClientSession? TryEstablish(ServerHandshakeOptions server, string name, ClientSession? session, out bool isResumed)
    {
        using var pair = new HandshakePair(server, Client(server.Protocols, name, session));
        pair.Run();
        using TlsSession ours = pair.Client.TakeSession();
        using TlsSession theirs = pair.Server.TakeSession();
        Assert.Equal(ours.IsResumed, theirs.IsResumed);
        isResumed = ours.IsResumed;
        if (server.Protocols == SslProtocols.Tls12)
        {
            return ours.TakeTicket();
        }

        using RecordKeys keys = ours.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        using PostHandshakeReader reader = ours.CreatePostHandshakeReader();
        foreach (byte[] record in pair.LateRecords)
        {
            reader.Append(opener.Open(record, out _));
        }

        return reader.TryRead(out _) ? reader.Ticket : null;
    }

    // Whether our client shows the ticket to a server of that name.
    private static int CountTickets(ServerHandshakeOptions server, ClientSession? session)
    {
        using var pair = new HandshakePair(server, Client(SslProtocols.Tls13, Name, session));
        pair.Run();
        using TlsSession ours = pair.Client.TakeSession();
        using TlsSession theirs = pair.Server.TakeSession();
        Assert.Equal(session is not null, ours.IsResumed);
        using RecordKeys keys = ours.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        using PostHandshakeReader reader = ours.CreatePostHandshakeReader();
        int count = 0;
        foreach (byte[] record in pair.LateRecords)
        {
            reader.Append(opener.Open(record, out _));
            while (reader.TryRead(out _))
            {
                using ClientSession? ticket = reader.Ticket;
                count += ticket is null ? 0 : 1;
            }
        }

        return count;
    }

    private static bool Offers(ClientSession session, string name)
    {
        using var client = new ClientHandshake(Client(session.Protocol, name, session));
        return client.Output.Span.IndexOf(session.Ticket) >= 0;
    }

    private static ClientSession WithTicket(ClientSession session, byte[] ticket) => new(session.State.Copy(), ticket, 7200, 0);

    private static ClientSession ForName(ClientSession session, string name) => Changed(session, name, session.State.Secret.Span.ToArray());

    private static ClientSession WithoutSecret(ClientSession session) => Changed(session, session.ServerName, new byte[session.State.Secret.Span.Length]);

    private static ClientSession Changed(ClientSession session, string name, byte[] secret)
    {
        SessionState state = session.State;
        var changed = new SessionState
        {
            Suite = state.Suite,
            Secret = new SecretBytes(secret),
            IsExtendedMasterSecret = state.IsExtendedMasterSecret,
            ServerName = name,
            AuthenticatedAt = state.AuthenticatedAt,
            IssuedAt = state.IssuedAt,
            PeerChain = state.PeerChain,
        };
        return new ClientSession(changed, session.Ticket, 7200, 0);
    }

    private static void AssertServerRefuses(HandshakePair pair, AlertDescription alert)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal((alert, false), (e.Description, e.ReceivedFromPeer));
        Assert.Equal(HandshakeStatus.Failed, pair.Server.Status);
        Assert.Equal(alert, HandshakePair.DeliverAlert(pair.Server, pair.Client));
    }

    private sealed class Clock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
