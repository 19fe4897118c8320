using System.Net;
using System.Net.Sockets;

namespace KTls.Tests;

/// <summary>Two ends of one TCP connection over loopback.</summary>
internal sealed class TcpPair : IDisposable
{
    private TcpPair(Socket client, Socket server)
    {
        Client = client;
        Server = server;
    }

    public Socket Client { get; }

    public Socket Server { get; }

    /// <summary>Connects a pair. A buffer size in bytes limits both kernel buffers of both ends; 0 leaves them as they are.</summary>
    public static TcpPair Connect(int bufferSize = 0)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Limit(listener, bufferSize); // accepted sockets inherit it
        listener.Listen();

        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Limit(client, bufferSize);
        client.Connect(listener.LocalEndPoint!);
        Socket server = listener.Accept();
        server.NoDelay = true;
        return new TcpPair(client, server);
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private static void Limit(Socket socket, int bufferSize)
    {
        if (bufferSize != 0)
        {
            socket.SendBufferSize = bufferSize;
            socket.ReceiveBufferSize = bufferSize;
        }
    }
}
