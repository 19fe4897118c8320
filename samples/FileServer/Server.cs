using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>Accepts connections and stops in good order.</summary>
internal sealed class Server : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly CommandLine _options;
    private readonly StaticFiles _files;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly SslServerAuthenticationOptions _tls;
    private readonly KTlsOptions _ktls;
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly SemaphoreSlim _places;
    private readonly CancellationTokenSource _abort = new();

    /// <exception cref="UsageException">The address cannot be listened on.</exception>
    public Server(CommandLine options, StaticFiles files, SslStreamCertificateContext certificate, ILoggerFactory loggers)
    {
        _options = options;
        _files = files;
        _logger = loggers.CreateLogger("FileServer");
        _places = new SemaphoreSlim(options.MaxConnections);
        _tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        };
        _ktls = new KTlsOptions
        {
            DataPlane = options.DataPlane,
            HandshakeTimeout = options.HandshakeTimeout,
            LoggerFactory = options.Verbose ? loggers : null,
        };
        _listener = Listen(options.Listen);
    }

    /// <summary>Where the server really listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Serves until the token is cancelled, then lets running requests finish.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _places.WaitAsync(stopping).ConfigureAwait(false);
                Socket socket = await AcceptAsync(stopping).ConfigureAwait(false);
                Task connection = Task.Run(() => ServeAsync(socket, stopping), CancellationToken.None);
                _connections.TryAdd(connection, 0);
                _ = connection.ContinueWith(done => _connections.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
        }

        _listener.Dispose();
        Task all = Task.WhenAll(_connections.Keys);
        if (!all.IsCompleted)
        {
            Log.Stopping(_logger, _connections.Count);
            _abort.CancelAfter(Grace);
            await all.ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _places.Dispose();
        _abort.Dispose();
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                listener.DualMode = true;
            }

            listener.Bind(endPoint);
            listener.Listen(1024);
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new UsageException($"Cannot listen on {endPoint}: {e.Message}.");
        }
    }

    private async Task<Socket> AcceptAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await _listener.AcceptAsync(stopping).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                // No descriptors left, or a client that was gone again: neither ends the server.
                Log.CannotAccept(_logger, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), stopping).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stopping)
    {
        EndPoint? remote = null;
        try
        {
            remote = socket.RemoteEndPoint;
            socket.NoDelay = true;
            KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(socket, _tls, _ktls, stopping).ConfigureAwait(false);
            using var connection = new Connection(stream, _files, _options.IdleTimeout, stopping, _abort.Token);
            if (stream.Sending.Kind != DataPlaneKind.Kernel)
            {
                Log.DataPlaneReason(_logger, stream.Sending.Reason);
            }

            await connection.RunAsync(remote, _logger).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or TimeoutException or SocketException or OperationCanceledException)
        {
            Log.NoHandshake(_logger, remote, e.Message);
        }
        catch (Exception e)
        {
            Log.Unexpected(_logger, remote, e);
        }
        finally
        {
            socket.Dispose();
            _places.Release();
        }
    }
}
