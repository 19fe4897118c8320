using System.Net.Security;
using System.Security.Authentication;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>Handshakes that begin, keep and resume sessions.</summary>
internal static class Resuming
{
    // version, lifetime, age_add; then the ticket with its length.
    private const int TicketOffset = 1 + 4 + 4;

    public static TlsCipherSuite Aes128(SslProtocols protocol) =>
        protocol == SslProtocols.Tls13 ? TlsCipherSuite.TLS_AES_128_GCM_SHA256 : TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;

    public static TlsCipherSuite Aes256(SslProtocols protocol) =>
        protocol == SslProtocols.Tls13 ? TlsCipherSuite.TLS_AES_256_GCM_SHA384 : TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;

    /// <summary>A full handshake, and the session that the client can keep of it.</summary>
    public static ClientSession Begin(ServerHandshakeOptions server, ClientHandshakeOptions client)
    {
        using var pair = new HandshakePair(server, client);
        pair.Run();
        using TlsSession session = pair.Client.TakeSession();
        Assert.False(session.IsResumed);
        return TakeSessions(pair, session)[0];
    }

    /// <summary>A handshake that must succeed; whether it has resumed, on both ends.</summary>
    public static bool Resumes(ServerHandshakeOptions server, ClientHandshakeOptions client)
    {
        using var pair = new HandshakePair(server, client);
        return Resumes(pair);
    }

    public static bool Resumes(HandshakePair pair)
    {
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        Assert.Equal(server.IsResumed, client.IsResumed);
        Assert.Equal(server.IsServer, !client.IsServer);
        HandshakeTests.AssertSameKeys(client, server, pair.LateRecords.Count);
        return server.IsResumed;
    }

    /// <summary>The sessions of the tickets that a server has sent.</summary>
    public static List<ClientSession> TakeSessions(HandshakePair pair, TlsSession client)
    {
        var sessions = new List<ClientSession>();
        if (client.TakeTicket() is { } ticket)
        {
            sessions.Add(ticket);
        }

        using RecordKeys keys = client.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        using PostHandshakeReader reader = client.CreatePostHandshakeReader();
        foreach (byte[] record in pair.LateRecords)
        {
            reader.Append(opener.Open([.. record], out ContentType type));
            Assert.Equal(ContentType.Handshake, type);
            while (reader.TryRead(out PostHandshakeMessage message))
            {
                Assert.Equal(PostHandshakeMessage.NewSessionTicket, message);
                if (reader.Ticket is { } session)
                {
                    sessions.Add(session);
                }
            }
        }

        return sessions;
    }

    /// <summary>The session with its ticket changed, as only a client can that makes up its own bytes.</summary>
    public static ClientSession WithTicket(ClientSession session, Func<byte[], byte[]> change)
    {
        byte[] exported = session.Export();
        int end = EndOfTicket(exported);
        byte[] ticket = change(exported[(TicketOffset + 2)..end]);
        return Import([.. exported[..TicketOffset], .. Tls.Vector16(ticket), .. exported[end..]]);
    }

    /// <summary>The session with some of the bytes behind the ticket replaced by as many others.</summary>
    public static ClientSession With(ClientSession session, ReadOnlySpan<byte> old, ReadOnlySpan<byte> replacement)
    {
        byte[] exported = session.Export();
        Span<byte> state = exported.AsSpan(EndOfTicket(exported));
        int place = state.IndexOf(old);
        Assert.True(place > 0 && old.Length == replacement.Length);
        replacement.CopyTo(state[place..]);
        return Import(exported);
    }

    private static int EndOfTicket(byte[] exported) => TicketOffset + 2 + ((exported[TicketOffset] << 8) | exported[TicketOffset + 1]);

    private static ClientSession Import(byte[] exported) => ClientSession.TryImport(exported) ?? throw new InvalidOperationException("The session cannot be imported.");
}
