using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>Accepts connections until it is told to stop, and lets the running requests end then.</summary>
internal sealed class Server : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(200);

    private readonly Socket _listener;
    private readonly ConnectionOptions _options;
    private readonly int _maxConnections;
    private readonly SemaphoreSlim _free;
    private readonly ConcurrentDictionary<Connection, Task> _running = new();

    private Server(Socket listener, ConnectionOptions options, int maxConnections)
    {
        _listener = listener;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _options = options;
        _maxConnections = maxConnections;
        _free = new SemaphoreSlim(maxConnections, maxConnections);
    }

    /// <summary>Where it listens, with the real port.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Starts to listen. Clients can connect from here on; they are served once <see cref="RunAsync"/> runs.</summary>
    /// <exception cref="UserErrorException">The address cannot be had.</exception>
    public static Server Listen(ListenAddress address, ConnectionOptions options, int maxConnections)
    {
        var listener = new Socket(address.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.EndPoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                listener.DualMode = address.AllAddresses;
            }

            listener.Bind(address.EndPoint);
            listener.Listen(512);
            return new Server(listener, options, maxConnections);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new UserErrorException($"--listen: {Explain(e, address.EndPoint)}", UserErrorException.Runtime);
        }
    }

    /// <summary>Serves until the token is cancelled and all connections have ended.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var aborting = new CancellationTokenSource();
        await AcceptAsync(stopping, aborting.Token).ConfigureAwait(false);
        _listener.Dispose();
        Log.Stops(_options.Logger, _running.Count);
        aborting.CancelAfter(StopTimeout);

        // What a connection throws is in the log, and does not keep the others from their end.
        await Task.WhenAll(_running.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _free.Dispose();
    }

    private async Task AcceptAsync(CancellationToken stopping, CancellationToken aborting)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await TakeSlotAsync(stopping).ConfigureAwait(false);
                Start(await AcceptOneAsync(stopping).ConfigureAwait(false), stopping, aborting);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    // Further clients wait in the kernel's queue until a slot is free.
    private async ValueTask TakeSlotAsync(CancellationToken stopping)
    {
        if (!_free.Wait(0, CancellationToken.None))
        {
            Log.Full(_options.Logger, _maxConnections);
            await _free.WaitAsync(stopping).ConfigureAwait(false);
        }
    }

    // No error of accept(2) is the listener's end: either that one client is gone, or something such as file descriptors is
    // short, and that passes when other connections end.
    private async ValueTask<Socket> AcceptOneAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await _listener.AcceptAsync(stopping).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                Log.AcceptFailed(_options.Logger, e.Message);
                await Task.Delay(AcceptRetry, stopping).ConfigureAwait(false);
            }
        }
    }

    private void Start(Socket socket, CancellationToken stopping, CancellationToken aborting)
    {
        var connection = new Connection(socket, _options);

        // On the pool, so that one client's handshake does not hold up the next one's accept.
        Task run = Task.Run(() => connection.RunAsync(stopping, aborting), CancellationToken.None);
        _running[connection] = run;
        run.ContinueWith(
            task =>
            {
                _running.TryRemove(connection, out _);
                _free.Release();
                if (task.Exception is { } e)
                {
                    Log.Unexpected(_options.Logger, e.InnerException!, remote: null);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private static string Explain(SocketException e, IPEndPoint endPoint) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"port {endPoint.Port} is in use; stop the other program or choose another port",
        SocketError.AccessDenied => $"no permission for port {endPoint.Port}; ports from 1024 on need none",
        SocketError.AddressNotAvailable => $"this machine does not have the address {endPoint.Address}",
        SocketError.AddressFamilyNotSupported => $"this machine has no IPv6, which {endPoint.Address} needs",
        _ => $"{endPoint}: {e.Message}",
    };
}
