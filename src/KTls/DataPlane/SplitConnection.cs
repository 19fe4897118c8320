using System.Net.Sockets;
using System.Runtime.CompilerServices;
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

    public SplitConnection(KernelSocket socket, Socket? ownedSocket, TlsSession session, DataPlanes planes, ConnectionFacts facts, ILogger logger)
    {
        _socket = socket;
        _ownedSocket = ownedSocket;
        _session = session;
        _send = planes.Send;
        _receive = planes.Receive;
        _handOverAtBoundary = planes.HandOverAtBoundary;
        _requireKernel = planes.RequireKernel;
        _postHandshake = session.CreatePostHandshakeReader();
        _reading = new OperationGate(ReleaseReceiving);
        Facts = facts;
        _logger = logger;
    }

    public override ConnectionFacts Facts { get; }

    public override DataPlaneStatus Sending => _send.Status;

    public override DataPlaneStatus Receiving => Volatile.Read(ref _receive).Status;

    public override bool? CloseNotifyReceived => _closeNotifyReceived;

    public override void Dispose()
    {
        // First the socket: it ends all waits, and refuses keys and data that could still be made from zeroed secrets.
        _socket.Dispose();
        _reading.Close();
        _send.Dispose();
        _session.Dispose();
        _ownedSocket?.Dispose();
    }

    public override ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void ReleaseReceiving()
    {
        _receive.Dispose();
        _postHandshake.Dispose();
    }
}
