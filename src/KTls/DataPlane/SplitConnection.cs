using System.Net.Sockets;
using System.Runtime.CompilerServices;
using KTls.Authentication;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

/// <summary>
/// A connection whose handshake was ours: a plane that seals, a plane that opens, and between them what concerns both,
/// namely alerts and key updates.
/// </summary>
internal sealed partial class SplitConnection : Connection
{
    private readonly KernelSocket _socket;
    private readonly Socket? _ownedSocket;
    private readonly TlsSession _session;
    private readonly ILogger _logger;
    private readonly SessionKeeper? _sessions;
    private int _isDisposed;

    public SplitConnection(KernelSocket socket, Socket? ownedSocket, TlsSession session, DataPlanes planes, ConnectionFacts facts, SessionKeeper? sessions, KTlsOptions options, ILogger logger)
    {
        _socket = socket;
        _ownedSocket = ownedSocket;
        _session = session;
        _send = planes.Send;
        _receive = planes.Receive;
        _handOverAtBoundary = planes.HandOverAtBoundary;
        _requireKernel = planes.RequireKernel;
        _limits = KeyLimits.Of(session.CipherSuite, options);
        _keyUpdateRate = new KeyUpdateRate(options.MaxKeyUpdatesPerSecond);
        _requireCloseNotify = options.RequireCloseNotify;
        _expectPadding = options.ExpectPadding;
        _updateRequestWithoutRekey = options.UpdateRequestWithoutRekey;
        Facts = facts;
        _sessions = sessions;
        _logger = logger;
    }

    public override ConnectionFacts Facts { get; }

    public override byte[]? ExportKeyingMaterial(string label, byte[]? context, int length)
    {
        byte[] material = new byte[length];
        _session.ExportKeyingMaterial(System.Text.Encoding.ASCII.GetBytes(label), context, material);
        return material;
    }

    public override DataPlaneStatus Sending => _send.Status;

    public override DataPlaneStatus Receiving => Volatile.Read(ref _receive).Status;

    public override bool CloseNotifyReceived => _closeNotifyReceived;

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        // Whoever sends now is ended, and hears of it. Where nobody does, what a cancelled send has left goes out, and nothing comes between.
        bool isMyTurn = _sending.TryEnter();
        byte[] rest = isMyTurn ? TakeUnsent() : [];
        Socket? unsent = IsUnsent(rest) ? _ownedSocket : null;

        // First the socket: it ends all waits, and refuses keys and data that could still be made from zeroed secrets.
        _socket.Dispose();
        if (isMyTurn)
        {
            UnlockSending();
        }

        if (_reading.Close())
        {
            ReleaseReceiving();
        }

        _send.Dispose();
        _session.Dispose();
        if (unsent is not null)
        {
            LingeringSockets.Shared.Add(unsent, rest);
        }
        else
        {
            _ownedSocket?.Dispose();
        }
    }

    public override ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private byte[] TakeUnsent()
    {
        try
        {
            return _send.TakeUnsent();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The peer is gone, or the owner of the socket has closed it himself.
            return [];
        }
    }

    // After a failure nothing more is owed to the peer, but what stands before close_notify.
    private bool IsUnsent(byte[] rest)
    {
        try
        {
            return _ownedSocket is not null && (_isShutDown || Volatile.Read(ref _sendFailure) is null) && (rest.Length != 0 || _send.NeedsFlush);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The owner of the socket has closed it himself.
            return false;
        }
    }

    private void ReleaseReceiving()
    {
        _receive.Dispose();
        _postHandshake?.Dispose();
    }
}
