using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Transport;

/// <summary>Accepts connections and leaves them unread.</summary>
internal sealed class KTlsListener : IConnectionListener
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly bool _noDelay;
    private readonly MemoryPool<byte> _pool;
    private readonly SocketConnectionContextFactory _plainFactory;
    private readonly ILogger _logger;
    private readonly ILogger _connectionLogger;
    private long? _lastShortage;

    public KTlsListener(Socket socket, SocketTransportOptions options, MemoryPool<byte> pool, ILoggerFactory loggerFactory)
    {
        _socket = socket;
        _noDelay = options.NoDelay;
        _pool = pool;
        _logger = loggerFactory.CreateLogger<KTlsListener>();
        _connectionLogger = loggerFactory.CreateLogger<DeferredConnection>();
        EndPoint = socket.LocalEndPoint!;
        _plainFactory = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions
            {
                IOQueueCount = options.IOQueueCount,
                WaitForDataBeforeAllocatingBuffer = options.WaitForDataBeforeAllocatingBuffer,
                MaxReadBufferSize = options.MaxReadBufferSize,
                MaxWriteBufferSize = options.MaxWriteBufferSize,
                UnsafePreferInlineScheduling = options.UnsafePreferInlineScheduling,
            },
            loggerFactory.CreateLogger<SocketConnectionContextFactory>());
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                accepted.NoDelay = _noDelay;
                return new DeferredConnection(accepted, _pool, _plainFactory, _connectionLogger);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                // Unbound: Kestrel stops to accept.
                return null;
            }
            catch (SocketException e) when (accepted is null && e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                // The client waits in the kernel's queue, so the next try would fail at once. It passes when other connections end.
                // Meanwhile one or another gets in: it is over when nothing was short for a while.
                if (_lastShortage is not { } last || Stopwatch.GetElapsedTime(last) > Quiet)
                {
                    Log.CannotAccept(_logger, EndPoint, e.Message);
                }

                _lastShortage = Stopwatch.GetTimestamp();
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // This one was reset before we came to it.
                accepted?.Dispose();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    // Kestrel disposes a listener after its connections have ended.
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _plainFactory.Dispose();
        _pool.Dispose();
        return ValueTask.CompletedTask;
    }
}
