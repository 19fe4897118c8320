using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>Tickets of TLS 1.2 and the extended master secret (RFC 5077, RFC 7627).</summary>
public sealed class TicketTests
{
    private readonly TicketKeyRing _ring = new();

    /// <summary>RFC 7627 §5.3, the server's side: (session with, ClientHello with, required) and what comes of it.</summary>
    [Theory]
    [InlineData(true, true, true, "resumed")]
    [InlineData(true, true, false, "resumed")]
    [InlineData(true, false, true, "refused")]
    [InlineData(true, false, false, "refused")]
    [InlineData(false, true, true, "full")]
    [InlineData(false, true, false, "full")]
    [InlineData(false, false, true, "refused")]
    [InlineData(false, false, false, "resumed")]
    public void A_server_resumes_with_the_extended_master_secret_as_before(bool before, bool now, bool isRequired, string expected)
    {
        byte[] ticket = TakeTicket(Serve(isRequired: false), out _, before);
        using ScriptedClient12 client = Client(Serve(isRequired), now);
        client.Hello.Set(ExtensionType.SessionTicket, ticket);
        client.Hello.SessionId = [7, 7];
        if (expected == "refused")
        {
            client.AssertAlert(AlertDescription.HandshakeFailure, client.SendHello);
            return;
        }

        client.SendHello();
        if (expected == "full")
        {
            client.ReadFlight();
            Assert.NotNull(client.Find(HandshakeType.ServerHelloDone));
            return;
        }

        List<byte[]> records = client.TakeOutput();
        Assert.Equal([ContentType.Handshake, ContentType.ChangeCipherSpec, ContentType.Handshake], records.Select(record => (ContentType)record[0]));
        Assert.Equal(now, HasExtension(records[0][RecordHeader.Size..], ExtensionType.ExtendedMasterSecret));
        Assert.False(HasExtension(records[0][RecordHeader.Size..], ExtensionType.SessionTicket));
    }

    [Fact]
    public void A_resumed_session_ends_with_the_clients_Finished()
    {
        ServerHandshakeOptions options = Serve(isRequired: true);
        byte[] ticket = TakeTicket(options, out byte[] masterSecret);
        using ScriptedClient12 client = Client(options, isExtended: true);
        client.Hello.Set(ExtensionType.SessionTicket, ticket);
        client.Hello.SessionId = [7, 7];
        client.SendHello();
        client.ReadResumption(masterSecret);
        client.SendChangeCipherSpec();
        Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
        client.SendFinished();
        using TlsSession session = client.Server.TakeSession();
        Assert.True(session.IsResumed);
        Assert.Equal(default, session.Group);
        Assert.Equal(SslProtocols.Tls12, session.Protocol);
    }

    /// <summary>A client's Finished proves that it has the master secret: without it there is no session.</summary>
    [Fact]
    public void A_stolen_ticket_ends_at_Finished()
    {
        ServerHandshakeOptions options = Serve(isRequired: true);
        byte[] ticket = TakeTicket(options, out _);
        using ScriptedClient12 client = Client(options, isExtended: true);
        client.Hello.Set(ExtensionType.SessionTicket, ticket);
        client.SendHello();
        client.TakeOutput();
        client.SendChangeCipherSpec();
        client.ExpandKeys(new byte[48]);
        TlsAlertException e = Assert.Throws<TlsAlertException>(client.SendFinished);
        Assert.Equal(AlertDescription.BadRecordMac, e.Description);
        Assert.Throws<InvalidOperationException>(client.Server.TakeSession);
    }

    /// <summary>A client that offers no tickets, or has none yet, gets what it asks for (RFC 5077 §3.2).</summary>
    [Theory]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    public void A_ticket_goes_to_a_client_that_wants_one(bool wants, bool hasKeys, bool expected)
    {
        using ScriptedClient12 client = Client(ScriptedClient12.Serve(ring: hasKeys ? _ring : null), isExtended: true);
        if (!wants)
        {
            client.Hello.Remove(ExtensionType.SessionTicket);
        }

        Finish(client);
        Assert.Equal(expected, client.Find(HandshakeType.NewSessionTicket) is not null);
        Assert.Equal(expected, HasExtension(client.Find(HandshakeType.ServerHello)!, ExtensionType.SessionTicket));
    }

    /// <summary>A full handshake of a scripted client; returns its ticket.</summary>
    internal static byte[] TakeTicket(ServerHandshakeOptions options, out byte[] masterSecret, bool isExtended = true)
    {
        using ScriptedClient12 client = Client(options, isExtended);
        Finish(client);
        masterSecret = client.MasterSecret;
        NewSessionTicket ticket = NewSessionTicket.Read12(client.Find(HandshakeType.NewSessionTicket));
        Assert.Equal(7200u, ticket.Lifetime);
        return ticket.Ticket.ToArray();
    }

    internal static bool HasExtension(byte[] serverHello, ExtensionType type) => ServerHello.Read(serverHello).Extensions.Has(type);

    private static void Finish(ScriptedClient12 client)
    {
        client.SendHello();
        client.ReadFlight();
        client.SendKeyExchange();
        client.SendChangeCipherSpec();
        client.SendFinished();
        client.ReadEnd();
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    private static ScriptedClient12 Client(ServerHandshakeOptions options, bool isExtended)
    {
        var client = new ScriptedClient12(options) { IsExtended = isExtended };
        client.Hello.Set(ExtensionType.SessionTicket);
        if (!isExtended)
        {
            client.Hello.Remove(ExtensionType.ExtendedMasterSecret);
        }

        return client;
    }

    private ServerHandshakeOptions Serve(bool isRequired) => new()
    {
        Credential = TestCertificates.Ecdsa,
        Protocols = SslProtocols.Tls12,
        Tickets = _ring,
        RequireExtendedMasterSecret = isRequired,
    };
}
