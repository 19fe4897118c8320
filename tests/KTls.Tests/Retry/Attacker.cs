using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>A man in the middle: each connection of the client meets the next of his tricks, and the last one again and again.</summary>
internal sealed class Attacker : IDisposable
{
    private readonly Socket _listener = Listen();
    private readonly EndPoint _server;
    private readonly Trick[] _tricks;
    private int _connections;

    public Attacker(EndPoint server, params Trick[] tricks)
    {
        _server = server;
        _tricks = tricks;
        _ = AcceptAsync();
    }

    /// <summary>What he does with a connection, from the client's ClientHello on.</summary>
    public delegate Task Trick(NetworkStream client, NetworkStream server, byte[] clientHello);

    public EndPoint EndPoint => _listener.LocalEndPoint!;

    public int Connections => Volatile.Read(ref _connections);

    public static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    public static async Task LeaveAlone(NetworkStream client, NetworkStream server, byte[] clientHello)
    {
        await server.WriteAsync(clientHello);
        await RelayAsync(client, server);
    }

    public static Trick Alert(AlertDescription alert) => async (client, _, _) => await client.WriteAsync(Record(alert));

    public static Trick Answer(byte[] record) => async (client, _, _) =>
    {
        await client.WriteAsync(record);
        await client.CopyToAsync(Stream.Null);
    };

    /// <summary>Lets the server's first record through, and says then that it refuses.</summary>
    public static async Task AlertAfterServerHello(NetworkStream client, NetworkStream server, byte[] clientHello)
    {
        await server.WriteAsync(clientHello);
        await client.WriteAsync(await ReadRecordAsync(server));
        await client.WriteAsync(Record(AlertDescription.HandshakeFailure));
        await client.CopyToAsync(Stream.Null);
    }

    /// <summary>Makes the extension supported_versions one that nobody knows: the server finds a client of TLS 1.2.</summary>
    public static async Task HideTls13(NetworkStream client, NetworkStream server, byte[] clientHello)
    {
        // The type, twice the length, and the best version first.
        int place = Enumerable.Range(0, clientHello.Length - 6).Single(i =>
            clientHello.AsSpan(i, 3).SequenceEqual((ReadOnlySpan<byte>)[0, 0x2b, 0]) && clientHello[i + 3] == clientHello[i + 4] + 1 && clientHello.AsSpan(i + 5, 2).SequenceEqual((ReadOnlySpan<byte>)[3, 4]));
        clientHello[place] = 0x7a;
        await LeaveAlone(client, server, clientHello);
    }

    public void Dispose() => _listener.Dispose();

    private static byte[] Record(AlertDescription alert) => [21, 3, 3, 0, 2, 2, (byte)alert];

    private static async Task RelayAsync(NetworkStream client, NetworkStream server)
    {
        await Task.WhenAny(client.CopyToAsync(server), server.CopyToAsync(client));
    }

    private static async Task<byte[]> ReadRecordAsync(NetworkStream stream)
    {
        byte[] header = new byte[5];
        await stream.ReadExactlyAsync(header);
        byte[] body = new byte[BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3))];
        await stream.ReadExactlyAsync(body);
        return [.. header, .. body];
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket client = await _listener.AcceptAsync();
                int number = Interlocked.Increment(ref _connections);
                _ = MeddleAsync(client, _tricks[Math.Min(number, _tricks.Length) - 1]);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task MeddleAsync(Socket accepted, Trick trick)
    {
        try
        {
            var connected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await connected.ConnectAsync(_server);
            await using var client = new NetworkStream(accepted, ownsSocket: true);
            await using var server = new NetworkStream(connected, ownsSocket: true);
            await trick(client, server, await ReadRecordAsync(client));
            accepted.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Either end has gone.
        }
    }
}
