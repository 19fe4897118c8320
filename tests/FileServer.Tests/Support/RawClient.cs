using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace FileServer.Tests.Support;

/// <summary>A client that sends any bytes over TLS and reads what comes back.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private readonly List<byte> _received = [];

    private RawClient(Socket socket, SslStream stream)
    {
        Socket = socket;
        Stream = stream;
    }

    public Socket Socket { get; }

    public SslStream Stream { get; }

    public static async Task<RawClient> ConnectAsync(IPEndPoint server, int? receiveBuffer = null, string host = "localhost", SslProtocols protocols = SslProtocols.None)
    {
        Socket socket = await ConnectTcpAsync(server, receiveBuffer);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        };
        await stream.AuthenticateAsClientAsync(options).WaitAsync(Limit);
        return new RawClient(socket, stream);
    }

    public static async Task<Socket> ConnectTcpAsync(IPEndPoint server, int? receiveBuffer = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
        {
            socket.ReceiveBufferSize = size;
        }

        await socket.ConnectAsync(server);
        return socket;
    }

    public Task SendAsync(string text) => Stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask().WaitAsync(Limit);

    /// <summary>Everything until the server ends the stream.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReceiveAsync())
        {
        }

        string all = Encoding.Latin1.GetString([.. _received]);
        _received.Clear();
        return all;
    }

    /// <summary>One response: its head, and as much body as Content-Length says.</summary>
    public async Task<string> ReadResponseAsync(bool hasBody = true)
    {
        string text;
        int end;
        while ((end = (text = Encoding.Latin1.GetString([.. _received])).IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            Assert.True(await ReceiveAsync(), "The server ended the stream inside a head: " + text);
        }

        int length = end + 4;
        string? field = text[..length].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal));
        if (hasBody && field is not null)
        {
            length += int.Parse(field["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        }

        while (_received.Count < length)
        {
            Assert.True(await ReceiveAsync(), "The server ended the stream inside a body.");
        }

        string response = Encoding.Latin1.GetString([.. _received[..length]]);
        _received.RemoveRange(0, length);
        return response;
    }

    /// <summary>One request on a connection of its own, up to the end of the stream.</summary>
    public static async Task<string> ExchangeAsync(TestServer server, string request)
    {
        using RawClient client = await ConnectAsync(server.EndPoint);
        await client.SendAsync(request);
        return await client.ReadToEndAsync();
    }

    public void Dispose() => Stream.Dispose();

    private async Task<bool> ReceiveAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        int count = await Stream.ReadAsync(buffer).AsTask().WaitAsync(Limit);
        _received.AddRange(buffer.AsSpan(0, count));
        return count != 0;
    }
}
