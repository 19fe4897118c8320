using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>NewSessionTicket of TLS 1.3 (RFC 8446 §4.6.1) as a client reads it, and as our server writes it.</summary>
public sealed class TicketMessageTests
{
    [Theory]
    [InlineData(1u, 1, 1)]
    [InlineData(uint.MaxValue, 0, 16 * 1024)]
    [InlineData(604800u, 255, 300)]
    public void A_ticket_is_kept(uint lifetime, int nonceLength, int length)
    {
        using TlsSession session = Session();
        using ClientSession? kept = Read(session, Ticket(lifetime, new byte[nonceLength], length));
        Assert.NotNull(kept);
        Assert.Equal(length, kept.Ticket.Length);
        Assert.Equal("localhost", kept.ServerName);
        Assert.True(kept.ExpiresAt <= DateTimeOffset.UtcNow + TimeSpan.FromDays(7));
    }

    /// <summary>A lifetime of 0 says that the ticket is to be thrown away; one that a ClientHello has no room for is of no use.</summary>
    [Theory]
    [InlineData(0u, 100)]
    [InlineData(100u, (16 * 1024) + 1)]
    [InlineData(100u, 32 * 1000)]
    public void A_ticket_is_let_go(uint lifetime, int length)
    {
        using TlsSession session = Session();
        Assert.Null(Read(session, Ticket(lifetime, [0], length)));
    }

    /// <summary>Each nonce makes another key of the one resumption secret.</summary>
    [Fact]
    public void Each_ticket_has_a_key_of_its_own()
    {
        using TlsSession session = Session();
        using ClientSession one = Read(session, Ticket(100, [0], 10))!;
        using ClientSession other = Read(session, Ticket(100, [1], 10))!;
        using ClientSession same = Read(session, Ticket(100, [0], 20))!;
        Assert.NotEqual(one.State.Secret.Span.ToArray(), other.State.Secret.Span.ToArray());
        Assert.Equal(one.State.Secret.Span.ToArray(), same.State.Secret.Span.ToArray());
    }

    /// <summary>Unknown extensions are ignored, early_data among them.</summary>
    [Fact]
    public void Extensions_of_a_ticket_are_ignored()
    {
        using TlsSession session = Session();
        using ClientSession? kept = Read(session, Ticket(100, [0], 10, Tls.Extension((int)ExtensionType.EarlyData, [0, 0, 64, 0]), Tls.Extension(0x0a0a)));
        Assert.NotNull(kept);
    }

    [Fact]
    public void A_malformed_ticket_ends_in_its_alert()
    {
        byte[] whole = Ticket(100, [0], 10, Tls.Extension(0x0a0a, [1, 2, 3]));
        for (int length = 0; length < whole.Length - 4; length++)
        {
            AssertAlert(AlertDescription.DecodeError, Tls.WithBody(whole, body => body[..length]));
        }

        AssertAlert(AlertDescription.DecodeError, Tls.WithBody(whole, body => [.. body, 0]));
        AssertAlert(AlertDescription.DecodeError, Ticket(100, [0], 0));
        AssertAlert(AlertDescription.IllegalParameter, Ticket(100, [0], 10, Tls.Extension(0x0a0a), Tls.Extension(0x0a0a)));
    }

    /// <summary>The server's tickets: different nonces, random age_add, a lifetime of seconds.</summary>
    [Fact]
    public void Our_servers_tickets_differ()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls13, Tickets = new TicketKeyRing(), TicketCount = 8, TicketLifetime = TimeSpan.FromDays(30), Clock = new FakeClock() });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using RecordKeys keys = client.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        List<byte[]> messages = Tls.SplitMessages(opener.Open(Assert.Single(pair.LateRecords), out _).ToArray());
        Assert.Equal(8, messages.Count);
        Assert.Equal(8, messages.Select(message => Convert.ToHexString(NewSessionTicket.Read(message).Nonce)).Distinct().Count());
        Assert.Equal(8, messages.Select(message => NewSessionTicket.Read(message).AgeAdd).Distinct().Count());
        Assert.Equal(8, messages.Select(message => Convert.ToHexString(NewSessionTicket.Read(message).Ticket)).Distinct().Count());
        Assert.All(messages, message => Assert.Equal(604800u, NewSessionTicket.Read(message).Lifetime));
    }

    /// <summary>Whoever shall give tickets for no time gives none.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, 0)]
    [InlineData(SslProtocols.Tls13, 0)]
    [InlineData(SslProtocols.Tls12, -5)]
    [InlineData(SslProtocols.Tls13, -5)]
    [InlineData(SslProtocols.Tls13, 0.9)]
    public void A_lifetime_of_nothing_means_no_tickets(SslProtocols protocol, double seconds)
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = protocol, Tickets = new TicketKeyRing(), TicketLifetime = TimeSpan.FromSeconds(seconds) });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        Assert.Empty(Resuming.TakeSessions(pair, client));
        Assert.Empty(pair.LateRecords);
    }

    /// <summary>Nothing of a lifetime beyond all times breaks a handshake.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void An_endless_lifetime_is_one_of_seven_days(SslProtocols protocol)
    {
        var server = new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = protocol, Tickets = new TicketKeyRing(), TicketLifetime = TimeSpan.MaxValue };
        using ClientSession session = Resuming.Begin(server, new ClientHandshakeOptions { ServerName = "localhost" });
        Assert.True(Resuming.Resumes(server, new ClientHandshakeOptions { ServerName = "localhost", Session = session }));
    }

    private static TlsSession Session()
    {
        using var pair = new HandshakePair(client: new ClientHandshakeOptions { ServerName = "localhost", CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256] });
        pair.Run();
        return pair.Client.TakeSession();
    }

    private static byte[] Ticket(uint lifetime, byte[] nonce, int length, params byte[][] extensions) => Tls.Message(
        HandshakeType.NewSessionTicket,
        [(byte)(lifetime >> 24), (byte)(lifetime >> 16), .. Tls.U16((int)(lifetime & 0xffff))],
        [1, 2, 3, 4], Tls.Vector8(nonce), Tls.Vector16(new byte[length]), Tls.Vector16(extensions));

    private static ClientSession? Read(TlsSession session, byte[] message)
    {
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        reader.Append(message);
        Assert.True(reader.TryRead(out PostHandshakeMessage read));
        Assert.Equal(PostHandshakeMessage.NewSessionTicket, read);
        ClientSession? ticket = reader.Ticket;
        Assert.False(reader.TryRead(out _));
        return ticket;
    }

    private static void AssertAlert(AlertDescription expected, byte[] message)
    {
        using TlsSession session = Session();
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        reader.Append(message);
        Assert.Equal(expected, Assert.Throws<TlsAlertException>(() => reader.TryRead(out _)).Description);
    }
}
