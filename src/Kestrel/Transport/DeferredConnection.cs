using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Transport;

/// <summary>
/// A connection that reads nothing until somebody wants its <see cref="Transport"/>. For plain HTTP it becomes the stock socket
/// transport at that moment; the TLS middleware takes the socket before it.
/// </summary>
internal sealed class DeferredConnection : ConnectionContext, IBareSocketFeature, IConnectionSocketFeature,
    IConnectionIdFeature, IConnectionItemsFeature, IConnectionTransportFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature, IMemoryPoolFeature
{
    private static long _lastId = DateTime.UtcNow.Ticks;

    private readonly Lock _state = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly SocketConnectionContextFactory _plainFactory;
    private readonly ILogger _logger;
    private ConnectionContext? _plain;
    private StreamPipes? _pipes;
    private IDuplexPipe? _transport;
    private bool _isTaken;
    private ConnectionAbortedException? _abortReason;

    public DeferredConnection(Socket socket, MemoryPool<byte> pool, SocketConnectionContextFactory plainFactory, ILogger logger)
    {
        Socket = socket;
        MemoryPool = pool;
        _plainFactory = plainFactory;
        _logger = logger;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IBareSocketFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
    }

    public Socket Socket { get; }

    /// <summary>Kestrel's own kind: from another it asks for memory of no particular size, and gets none.</summary>
    public MemoryPool<byte> MemoryPool { get; }

    public override string ConnectionId { get; set; } = Interlocked.Increment(ref _lastId).ToString("X16", CultureInfo.InvariantCulture);

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override IDuplexPipe Transport
    {
        get
        {
            lock (_state)
            {
                return _transport ?? BecomePlain();
            }
        }

        set => _transport = value;
    }

    public bool TryTakeSocket([NotNullWhen(true)] out Socket? socket)
    {
        lock (_state)
        {
            socket = _transport is null && !_isTaken ? Socket : null;
            _isTaken |= socket is not null;
            return socket is not null;
        }
    }

    public void Attach(StreamPipes pipes)
    {
        ConnectionAbortedException? abortReason;
        lock (_state)
        {
            _pipes = pipes;
            _transport = pipes;
            abortReason = _abortReason;
        }

        if (abortReason is not null)
        {
            pipes.Abort(abortReason);
        }
    }

    // Callbacks of Kestrel and of applications hang on the token: they must not run under our caller.
    public void ReportClosed() => _ = TellAsync();

    public override void Abort(ConnectionAbortedException abortReason)
    {
        ConnectionContext? plain;
        StreamPipes? pipes;
        lock (_state)
        {
            _abortReason ??= abortReason;
            (plain, pipes) = (_plain, _pipes);
        }

        if (plain is not null)
        {
            plain.Abort(abortReason);
        }
        else if (pipes is not null)
        {
            pipes.Abort(abortReason);
        }
        else
        {
            // A handshake waits for this token; its end closes the socket.
            ReportClosed();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_plain is not null)
        {
            await _plain.DisposeAsync().ConfigureAwait(false);
        }
        else if (_pipes is not null)
        {
            await _pipes.EndAsync().ConfigureAwait(false);
        }
        else if (_abortReason is not null)
        {
            Socket.Close(timeout: 0);
        }
        else
        {
            Socket.Dispose();
        }

        // Not disposed: a callback that was queued may still cancel it.
        await TellAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    // What a callback throws would end the process, or keep Kestrel from forgetting the connection.
    private async Task TellAsync()
    {
        try
        {
            await _closed.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException e)
        {
            Log.ClosedCallbackFailed(_logger, ConnectionId, e);
        }
    }

    private IDuplexPipe BecomePlain()
    {
        if (_isTaken)
        {
            throw new InvalidOperationException("The connection's socket was handed over, and no pipes were put in its place.");
        }

        _plain = _plainFactory.Create(Socket);
        _plain.ConnectionClosed.UnsafeRegister(static self => ((DeferredConnection)self!).ReportClosed(), this);
        if (_abortReason is not null)
        {
            _plain.Abort(_abortReason);
        }

        return _transport = _plain.Transport;
    }
}
