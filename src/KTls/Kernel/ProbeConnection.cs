using System.Net;
using System.Net.Sockets;

namespace KTls.Kernel;

/// <summary>
/// A TCP connection of this process with itself, on whose two ends it is tried what the kernel can do: for keys the ends are two
/// sockets, which need not fit each other, since no byte is ever sent.
/// </summary>
internal sealed class ProbeConnection : IDisposable
{
    private readonly Socket _client;
    private readonly Socket _server;

    private ProbeConnection(Socket client, Socket server)
    {
        _client = client;
        _server = server;
        Client = new KernelSocket(client.SafeHandle);
        Server = new KernelSocket(server.SafeHandle);
    }

    public KernelSocket Client { get; }

    public KernelSocket Server { get; }

    /// <exception cref="SocketException">There is no loopback, or no descriptor left.</exception>
    public static ProbeConnection Open()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            client.Connect(listener.LocalEndPoint!);
            return new ProbeConnection(client, listener.Accept());
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Installs keys that protect nothing.</summary>
    /// <returns>0 or the errno.</returns>
    public static int SetKeys(KernelSocket socket, KernelDirection direction, ushort version, KernelCipher cipher)
    {
        Span<byte> zeros = stackalloc byte[CryptoInfo.MaxSize];
        zeros.Clear();
        return socket.SetKeys(direction, version, cipher, zeros[..CryptoInfo.KeySizeOf(cipher)], zeros[..CryptoInfo.IvSizeOf(version, cipher)], 0);
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _client.Dispose();
        _server.Dispose();
    }
}
