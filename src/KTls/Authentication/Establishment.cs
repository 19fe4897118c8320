using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls.DataPlane;
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
    /// <param name="peer">Who the peer is: on a client the server's certificate and name, on a server the name that the client asked for.</param>
    /// <param name="attempt">The options.</param>
    /// <exception cref="KernelTlsException">The kernel refuses the keys, and the options require it.</exception>
    public static SplitConnection Establish(
        TlsHandshake handshake, HandshakeDriver driver, KernelSocket transport, Socket socket,
        (X509Certificate2? Certificate, string TargetHostName) peer, HandshakeAttempt attempt)
    {
        TlsSession session = handshake.TakeSession();
        try
        {
            DataPlanes planes = DataPlanes.Install(transport, session, driver.Unconsumed, attempt.Options, attempt.Logger);
            var facts = new ConnectionFacts
            {
                Protocol = session.Protocol,
                CipherSuite = session.CipherSuite,
                Group = session.Group,
                ApplicationProtocol = session.ApplicationProtocol,
                RemoteCertificate = peer.Certificate,
                TargetHostName = peer.TargetHostName,
            };
            return new SplitConnection(transport, attempt.Options.LeaveSocketOpen ? null : socket, session, planes, facts, attempt.Logger);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
