using System.Net.Sockets;
using KTls.Bench.Connections;

namespace KTls.Bench.Handshakes;

/// <summary>The roles that the measured process plays; the other one, if any, is a <see cref="PeerProgram"/>'s.</summary>
internal enum MeasuredRoles
{
    Both,
    Server,
    Client,
}

/// <summary>
/// Some hundred handshakes at a time: all TCP connections first, then the handshakes, which alone are measured, then the ends.
/// </summary>
internal sealed class HandshakeBatch(MeasuredRoles roles, HandshakeKind kind, int count, int concurrency) : IDisposable
{
    private readonly PeerProcess? _peer = roles switch
    {
        MeasuredRoles.Server => new PeerProcess("client", kind),
        MeasuredRoles.Client => new PeerProcess("server", kind),
        _ => null,
    };

    private readonly Socket _listener = Loopback.Listen();
    private readonly Socket?[] _serverSockets = new Socket?[count];
    private readonly Socket?[] _clientSockets = new Socket?[count];
    private readonly Stream?[] _servers = new Stream?[count];
    private readonly Stream?[] _clients = new Stream?[count];

    /// <summary>Bytes that the server has sent in a handshake, for a look at what kind of handshake it was.</summary>
    public long ServerBytes { get; private set; }

    public async Task<Usage> RunAsync(ITlsImplementation implementation)
    {
        Connect();
        Collect();

        Usage before = Usage.Now();
        _peer?.Begin($"handshake {concurrency} {implementation.Name}");
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(worker => Task.Run(() => ShakeHandsAsync(implementation, worker))));
        Usage used = Usage.Now() - before;
        _peer?.Finish();

        ServerBytes = _serverSockets[0] is { } server ? TcpInfo.BytesAcked(server) : TcpInfo.BytesReceived(_clientSockets[0]!);
        if (kind.Mode == HandshakeMode.Resumed)
        {
            await ExchangeAsync(implementation);
        }

        Close();
        return used;
    }

    public void Dispose()
    {
        _peer?.Dispose();
        _listener.Dispose();
    }

    private async Task ShakeHandsAsync(ITlsImplementation implementation, int worker)
    {
        for (int i = worker; i < count; i += concurrency)
        {
            Task<Stream>? accepting = _serverSockets[i] is { } server ? implementation.AcceptAsync(server) : null;
            Task<Stream>? connecting = _clientSockets[i] is { } client ? implementation.ConnectAsync(client) : null;
            _servers[i] = accepting is null ? null : await accepting;
            _clients[i] = connecting is null ? null : await connecting;
        }
    }

    // A client meets the tickets when it reads.
    private async Task ExchangeAsync(ITlsImplementation implementation)
    {
        _peer?.Begin($"exchange {implementation.Name}");
        for (int i = 0; i < count; i++)
        {
            if (_servers[i] is { } server)
            {
                await server.WriteAsync(new byte[1]);
            }

            if (_clients[i] is { } client)
            {
                await client.ReadExactlyAsync(new byte[1]);
            }
        }

        _peer?.Finish();
    }

    // Each connection is accepted before the next one is made, or waits in the queue: both ends number them alike.
    private void Connect()
    {
        switch (roles)
        {
            case MeasuredRoles.Both:
                for (int i = 0; i < count; i++)
                {
                    _clientSockets[i] = Loopback.Connect(Loopback.Port(_listener));
                    _serverSockets[i] = Loopback.Accept(_listener);
                }

                break;
            case MeasuredRoles.Server:
                _peer!.Begin($"connect {count} {Loopback.Port(_listener)}");
                for (int i = 0; i < count; i++)
                {
                    _serverSockets[i] = Loopback.Accept(_listener);
                }

                _peer.Finish();
                break;
            default:
                _peer!.Begin($"accept {count}");
                for (int i = 0; i < count; i++)
                {
                    _clientSockets[i] = Loopback.Connect(_peer.Port);
                }

                _peer.Finish();
                break;
        }
    }

    private void Close()
    {
        foreach (Stream? stream in _servers.Concat(_clients))
        {
            stream?.Dispose();
        }

        _peer?.Begin("close");
        _peer?.Finish();
    }

    // What an earlier batch left behind is not this one's work.
    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
