using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The TCP connection to the runner, and who moves records over it.</summary>
internal abstract class Transport : IDisposable
{
    // The runner gives up earlier.
    private const int TimeoutMilliseconds = 60_000;

    private readonly Socket _socket;

    protected Transport(Socket socket) => _socket = socket;

    /// <summary>Connects: by the public parts of KTls.Handshake, or by KTls' own connections when KTLS_BOGO_DATA_PLANE names their policy.</summary>
    public static Transport Connect(ShimFlags flags)
    {
        IPAddress address = flags.IsIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = TimeoutMilliseconds,
            SendTimeout = TimeoutMilliseconds,
        };
        socket.Connect(new IPEndPoint(address, flags.Port));

        // Says which test this is.
        byte[] id = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(id, flags.ShimId);
        socket.Send(id);
        return Environment.GetEnvironmentVariable("KTLS_BOGO_DATA_PLANE") is { Length: > 0 } policy
            ? new ConnectionTransport(socket, Enum.Parse<DataPlanePolicy>(policy))
            : new RecordTransport(socket);
    }

    /// <summary>Sends and receives until the handshake is complete or asks its caller something.</summary>
    /// <exception cref="TlsAlertException">It failed; the alert was sent.</exception>
    public abstract void Run(TlsHandshake handshake);

    /// <summary>Sends what the handshake still has to say.</summary>
    public abstract void Flush(TlsHandshake handshake);

    /// <summary>Goes on from a complete handshake.</summary>
    public abstract DataPlane Establish(TlsHandshake handshake);

    /// <summary>Ends the connection so that the runner loses nothing of what was sent: with data unread, a close is a reset.</summary>
    public virtual void Dispose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            byte[] buffer = new byte[1024];
            while (_socket.Receive(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The runner was faster, or kernel TLS has no use for what came.
        }

        _socket.Dispose();
    }
}
