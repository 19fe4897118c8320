using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Tests.Interop;

/// <summary>Our server, for a peer to connect to.</summary>
internal sealed class PeerListener : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public PeerListener()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen();
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>Does the handshake with the next peer that connects, and requires the kernel.</summary>
    public async Task<KTlsStream> AcceptAsync(SslServerAuthenticationOptions options)
    {
        Socket socket = await _socket.AcceptAsync().Soon();
        socket.NoDelay = true;
        try
        {
            return await KTlsStream.AuthenticateAsServerAsync(socket, options, InKernel.Required).Soon();
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _socket.Dispose();
}
