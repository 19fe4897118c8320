using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Transport;

/// <summary>Accepts connections and leaves them unread.</summary>
internal sealed class KTlsListener : IConnectionListener
{
    private readonly Socket _socket;
    private readonly bool _noDelay;
    private readonly MemoryPool<byte> _pool;
    private readonly SocketConnectionContextFactory _plainFactory;
    private readonly ILogger _logger;

    public KTlsListener(Socket socket, SocketTransportOptions options, MemoryPool<byte> pool, ILoggerFactory loggerFactory)
    {
        _socket = socket;
        _noDelay = options.NoDelay;
        _pool = pool;
        _logger = loggerFactory.CreateLogger<DeferredConnection>();
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
                return new DeferredConnection(accepted, _pool, _plainFactory, _logger);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                // Unbound: Kestrel stops to accept.
                return null;
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
