using System.Net.Sockets;
using KTls.DataPlane;
using KTls.Diagnostics;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.Authentication;

/// <summary>The last step of either role: from a complete handshake to a connection.</summary>
internal static class Establishment
{
    /// <summary>Takes the session and gives its keys to the planes.</summary>
    /// <param name="handshake">A complete handshake.</param>
    /// <param name="driver">What it was received with.</param>
    /// <param name="transport">The socket, for our calls.</param>
    /// <param name="socket">The socket, to be closed with the connection unless the options say otherwise.</param>
    /// <param name="decision">Whether it is to be the kernel.</param>
    /// <param name="targetHost">On a client the name that it wants to reach, on a server the name that the client asked for.</param>
    /// <param name="sessions">Where a client's sessions go; null: nowhere.</param>
    /// <param name="attempt">The options.</param>
    /// <exception cref="KernelTlsException">The kernel refuses the keys, and the options require it.</exception>
    public static SplitConnection Establish(
        TlsHandshake handshake, HandshakeDriver driver, KernelSocket transport, Socket socket,
        Decision decision, string targetHost, SessionKeeper? sessions, HandshakeAttempt attempt)
    {
        TlsSession session = handshake.TakeSession();
        try
        {
            DataPlanes planes = DataPlanes.Install(transport, session, driver.Unconsumed, decision, attempt.Options, attempt.Logger);
            Instruments.Chosen(planes.Send.Status.Kind, planes.HandOverAtBoundary ? DataPlaneKind.Kernel : planes.Receive.Status.Kind);
            var facts = new ConnectionFacts
            {
                Protocol = session.Protocol,
                CipherSuite = session.CipherSuite,
                Group = session.Group == default ? null : session.Group,
                ApplicationProtocol = session.ApplicationProtocol,
                RemoteCertificate = handshake.PeerCertificate,
                LocalCertificate = handshake.LocalCredential?.Certificate,
                IsServer = session.IsServer,
                TargetHostName = targetHost,
                RemoteOcspResponse = handshake.PeerOcspResponse,
                IsResumed = session.IsResumed,
            };
            if (session.TakeTicket() is { } ticket)
            {
                Keep(sessions, ticket);
            }

            return new SplitConnection(transport, attempt.Options.LeaveSocketOpen ? null : socket, session, planes, facts, sessions, attempt.Options, attempt.Logger);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Keeps a client's session, or lets it go.</summary>
    public static void Keep(SessionKeeper? sessions, ClientSession session)
    {
        if (sessions is null)
        {
            session.Dispose();
        }
        else
        {
            sessions.Keep(session);
        }
    }
}
