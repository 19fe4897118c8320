using System.Net.Sockets;

namespace KTls.Bench.Handshakes;

/// <summary>The roles that the measured process plays; the other one, if any, is a <see cref="BarePeer"/>'s.</summary>
internal enum MeasuredRoles
{
    Both,
    Server,
    Client,
}

/// <summary>
/// Some hundred handshakes at a time: all TCP connections first, then the handshakes, which alone are measured, then the ends.
/// </summary>
internal sealed class HandshakeBatch(MeasuredRoles roles, int count, int concurrency) : IDisposable
{
    private readonly PeerProcess? _peer = roles switch
    {
        MeasuredRoles.Server => new PeerProcess("client"),
        MeasuredRoles.Client => new PeerProcess("server"),
        _ => null,
    };

    private readonly Socket _listener = Loopback.Listen();

    public async Task<Usage> RunAsync(ITlsImplementation implementation)
    {
        Socket[] servers = new Socket[count];
        Socket[] clients = new Socket[count];
        var streams = new Stream?[2 * count];
        Connect(servers, clients);
        Collect();

        Usage before = Usage.Now();
        _peer?.Begin($"handshake {concurrency}");
        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(worker => Task.Run(async () =>
        {
            for (int i = worker; i < count; i += concurrency)
            {
                Task<Stream>? accepting = roles == MeasuredRoles.Client ? null : implementation.AcceptAsync(servers[i]);
                Task<Stream>? connecting = roles == MeasuredRoles.Server ? null : implementation.ConnectAsync(clients[i]);
                streams[2 * i] = accepting is null ? null : await accepting;
                streams[(2 * i) + 1] = connecting is null ? null : await connecting;
            }
        })));
        Usage used = Usage.Now() - before;

        _peer?.Finish();
        foreach (Stream? stream in streams)
        {
            stream?.Dispose();
        }

        Ask("close");
        return used;
    }

    public void Dispose()
    {
        _peer?.Dispose();
        _listener.Dispose();
    }

    // Each connection is accepted before the next one is made: both ends number them alike.
    private void Connect(Socket[] servers, Socket[] clients)
    {
        switch (roles)
        {
            case MeasuredRoles.Both:
                for (int i = 0; i < count; i++)
                {
                    clients[i] = Loopback.Connect(Loopback.Port(_listener));
                    servers[i] = Loopback.Accept(_listener);
                }

                break;
            case MeasuredRoles.Server:
                _peer!.Begin($"connect {count} {Loopback.Port(_listener)}");
                for (int i = 0; i < count; i++)
                {
                    servers[i] = Loopback.Accept(_listener);
                }

                _peer.Finish();
                break;
            default:
                _peer!.Begin($"accept {count}");
                for (int i = 0; i < count; i++)
                {
                    clients[i] = Loopback.Connect(_peer.Port);
                }

                _peer.Finish();
                break;
        }
    }

    private void Ask(string command)
    {
        _peer?.Begin(command);
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
