using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KTls.Kestrel.Tests;

/// <summary>An HTTP/1.1 client that reads only what a test wants, when it wants.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly SslStream _stream;

    private RawClient(Socket socket)
    {
        _socket = socket;
        _stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
    }

    public SslStream Stream => _stream;

    public static async Task<RawClient> ConnectAsync(Site site)
    {
        // Buffers that do not grow: what a client leaves unread waits at the server.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024, NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
        var client = new RawClient(socket);
        await client._stream.AuthenticateAsClientAsync("localhost");
        return client;
    }

    public async Task SendAsync(string head) => await _stream.WriteAsync(Encoding.ASCII.GetBytes(head));

    public Task GetAsync(string path, string method = "GET") => SendAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    /// <summary>The status line and the headers.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await ReadAsync(one);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public async Task<byte[]> ReadAsync(int length)
    {
        byte[] bytes = new byte[length];
        await ReadAsync(bytes);
        return bytes;
    }

    /// <summary>What comes until the connection ends, in whatever way, at most so many bytes.</summary>
    public async Task<long> CountToEndAsync(long most)
    {
        byte[] buffer = new byte[1 << 16];
        long count = 0;
        try
        {
            int length;
            while (count <= most && (length = await _stream.ReadAsync(buffer).AsTask().WaitAsync(RunningSite.Patience)) > 0)
            {
                count += length;
            }
        }
        catch (IOException)
        {
            // A reset.
        }

        return count;
    }

    /// <summary>Goes away without a word.</summary>
    public void Reset() => _socket.Close(timeout: 0);

    public void Dispose() => _stream.Dispose();

    private async Task ReadAsync(byte[] bytes) => await _stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(RunningSite.Patience);
}
