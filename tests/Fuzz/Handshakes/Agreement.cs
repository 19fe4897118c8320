using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>What two ends have in common when a handshake is complete, whatever was done to it under way.</summary>
internal static class Agreement
{
    /// <summary>
    /// When an end completes, it has received what its peer has sent, and the peer has received what it had sent until then: all
    /// that Finished covers (RFC 8446 §4.4.4, RFC 5246 §7.4.9). What the peer has received beyond that, it has failed by or will.
    /// </summary>
    public static void CheckTranscripts(End end, End peer)
    {
        BrokenPromiseException.ThrowUnless(end.Received.Transcript().AsSpan().SequenceEqual(peer.Sent.Transcript()), "who completes has received what the peer has sent");
        BrokenPromiseException.ThrowUnless(peer.Received.Transcript().AsSpan().StartsWith(end.Sent.Transcript()), "who completes was received as it has sent");
    }

    /// <summary>Both sessions are one.</summary>
    public static void CheckSessions(TlsSession client, TlsSession server)
    {
        BrokenPromiseException.ThrowUnless(Negotiated(client) == Negotiated(server), "both ends have agreed on the same");
        byte[] clientExport = new byte[32];
        byte[] serverExport = new byte[32];
        client.ExportKeyingMaterial("EXPERIMENTAL fuzz"u8, [1], clientExport);
        server.ExportKeyingMaterial("EXPERIMENTAL fuzz"u8, [1], serverExport);
        BrokenPromiseException.ThrowUnless(clientExport.AsSpan().SequenceEqual(serverExport), "both ends have the same secret");
    }

    /// <summary>Data and KeyUpdates pass in both directions.</summary>
    public static void CheckData(AfterHandshake client, AfterHandshake server, int keyUpdates)
    {
        foreach ((AfterHandshake from, AfterHandshake to) in ((AfterHandshake, AfterHandshake)[])[(client, server), (server, client)])
        {
            for (byte i = 0; i <= keyUpdates; i++)
            {
                to.Receive(from.Seal(ContentType.ApplicationData, [1, 2, i]));
                BrokenPromiseException.ThrowUnless(to.Data is [1, 2, var number] && number == i, "data arrives");
                if (i < keyUpdates)
                {
                    to.Receive(from.UpdateKeys());
                }
            }
        }
    }

    private static (SslProtocols, TlsCipherSuite, NamedGroup, SslApplicationProtocol, bool) Negotiated(TlsSession session) =>
        (session.Protocol, session.CipherSuite, session.Group, session.ApplicationProtocol, session.IsResumed);
}
