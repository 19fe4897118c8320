using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>A client that resumes a session of TLS 1.2 (RFC 5077 §3.4), and takes tickets.</summary>
public sealed class ResumedClientTests
{
    private static readonly byte[] MasterSecret = [.. Enumerable.Range(1, Prf.MasterSecretLength).Select(i => (byte)i)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_servers_Finished_comes_first(bool renews)
    {
        using ScriptedServer12 server = Resumed();
        if (renews)
        {
            server.Hello.Add((int)ExtensionType.SessionTicket);
        }

        server.SendHello();
        Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, server.Client.Status);
        Assert.Equal(TestCertificates.Ecdsa.Certificate.RawData, server.Client.PeerCertificate!.RawData);
        server.Client.AcceptPeerCertificate();
        Assert.Empty(server.TakeOutput());
        server.ExpandKeys([.. MasterSecret]);
        if (renews)
        {
            server.SendMessages(ScriptedServer12.Ticket(50));
        }

        server.SendChangeCipherSpec();
        server.SendFinished();
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
        server.ReadFlight();
        using TlsSession session = server.Client.TakeSession();
        Assert.True(session.IsResumed);
        using ClientSession? ticket = session.TakeTicket();
        Assert.Equal(renews, ticket is not null);
        Assert.Equal(renews ? MasterSecret : null, ticket?.State.Secret.Span.ToArray());
        Assert.Equal(renews ? TestCertificates.Ecdsa.Chain : null, ticket?.State.PeerChain);
    }

    [Fact]
    public void The_server_must_have_the_master_secret()
    {
        using ScriptedServer12 server = Resumed();
        server.SendHello();
        server.Client.AcceptPeerCertificate();
        server.ExpandKeys(new byte[48]);
        server.SendChangeCipherSpec();
        server.AssertAlert(AlertDescription.BadRecordMac, server.SendFinished);
        Assert.Empty(server.Flight);
    }

    /// <summary>A resumed handshake has no other messages.</summary>
    [Fact]
    public void Every_message_of_a_full_handshake_is_unexpected()
    {
        foreach (int type in Enumerable.Range(1, 255))
        {
            using ScriptedServer12 server = Resumed();
            server.SendHello();
            server.Client.AcceptPeerCertificate();
            server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendMessages(Tls.Message((HandshakeType)type, new byte[12])));
        }
    }

    [Fact]
    public void The_promised_ticket_comes_before_the_change()
    {
        using ScriptedServer12 server = Resumed();
        server.Hello.Add((int)ExtensionType.SessionTicket);
        server.SendHello();
        server.Client.AcceptPeerCertificate();
        server.AssertAlert(AlertDescription.UnexpectedMessage, server.SendChangeCipherSpec);
    }

    /// <summary>RFC 5246 §7.4.1.3: a session has one suite.</summary>
    [Fact]
    public void Another_suite_is_an_illegal_parameter()
    {
        using ScriptedServer12 server = Resumed();
        server.Hello.CipherSuite = 0xc02c;
        server.AssertAlert(AlertDescription.IllegalParameter, server.SendHello);
    }

    /// <summary>RFC 7627 §5.3, the client's side.</summary>
    [Theory]
    [InlineData(true, true, null)]
    [InlineData(true, false, AlertDescription.HandshakeFailure)]
    [InlineData(false, true, AlertDescription.HandshakeFailure)]
    [InlineData(false, false, null)]
    public void A_session_goes_on_with_the_extended_master_secret_as_before(bool before, bool now, object? alert)
    {
        using ScriptedServer12 server = Resumed(before, isRequired: false);
        if (!now)
        {
            server.Hello.Remove(ExtensionType.ExtendedMasterSecret);
        }

        if (alert is AlertDescription expected)
        {
            server.AssertAlert(expected, server.SendHello);
        }
        else
        {
            server.SendHello();
            Assert.Equal(HandshakeStatus.NeedsCertificateVerdict, server.Client.Status);
        }
    }

    [Fact]
    public void A_session_without_the_extended_master_secret_is_not_offered_where_it_is_required()
    {
        using ScriptedServer12 required = Resumed(isExtended: false, isRequired: true);
        Assert.True(required.ClientHello.SessionTicket!.Value.IsEmpty);
    }

    [Fact]
    public void A_server_that_does_not_resume_makes_a_full_handshake()
    {
        using ScriptedServer12 server = Resumed();
        server.Hello.SessionId = [];
        server.Exchange();
        server.SendChangeCipherSpec();
        server.SendFinished();
        using TlsSession session = server.Client.TakeSession();
        Assert.False(session.IsResumed);
        Assert.Equal(NamedGroup.X25519, session.Group);
    }

    /// <summary>An empty ticket is none (RFC 5077 §3.3); one that a ClientHello has no room for is let go.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(16 * 1024, true)]
    [InlineData((16 * 1024) + 1, false)]
    [InlineData(65000, false)]
    public void Tickets_of_a_useful_size_are_kept(int length, bool isKept)
    {
        using var server = new ScriptedServer12();
        server.Hello.Add((int)ExtensionType.SessionTicket);
        server.Exchange();
        byte[] ticket = ScriptedServer12.Ticket(length);
        foreach (byte[] part in ticket.Chunk(RecordHeader.MaxPlaintext))
        {
            server.SendMessages(part);
        }

        server.SendChangeCipherSpec();
        server.SendFinished();
        using TlsSession session = server.Client.TakeSession();
        using ClientSession? kept = session.TakeTicket();
        Assert.Equal(isKept, kept is not null);
    }

    private static ScriptedServer12 Resumed(bool isExtended = true, bool isRequired = true)
    {
        var state = new SessionState
        {
            Suite = CipherSuite.Find((System.Net.Security.TlsCipherSuite)ScriptedClient12.EcdheEcdsaAes128)!,
            Secret = new SecretBytes(MasterSecret),
            IsExtendedMasterSecret = isExtended,
            ServerName = "localhost",
            AuthenticatedAt = DateTimeOffset.UtcNow,
            IssuedAt = DateTimeOffset.UtcNow,
            PeerChain = TestCertificates.Ecdsa.Chain,
        };
        using var session = new ClientSession(state, [1, 2, 3, 4], lifetime: 3600, ageAdd: 0);
        var server = new ScriptedServer12(new ClientHandshakeOptions
        {
            ServerName = "localhost", Protocols = SslProtocols.Tls12, Session = session, RequireExtendedMasterSecret = isRequired,
        });
        server.Hello.SessionId = server.ClientHello.SessionId.ToArray();
        return server;
    }
}
