using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using KTls.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace KTls.Fallback;

/// <summary>A connection that SslStream serves.</summary>
internal sealed class SslStreamConnection : Connection
{
    private const int CopyBufferSize = 64 * 1024;

    private readonly SslStream _stream;
    private readonly ReplayStream _transport;
    private readonly Socket? _ownedSocket;
    private readonly bool _requireCloseNotify;
    private bool _hasEnded;
    private bool _closeNotifyReceived;
    private IOException? _readFailure;

    private SslStreamConnection(SslStream stream, ReplayStream transport, Socket? ownedSocket, bool requireCloseNotify, string reason)
    {
        _stream = stream;
        _transport = transport;
        _ownedSocket = ownedSocket;
        _requireCloseNotify = requireCloseNotify;
        Sending = Receiving = new DataPlaneStatus(DataPlaneKind.SslStream, $"SslStream serves the connection: {reason}.");
        Facts = new ConnectionFacts
        {
            Protocol = stream.SslProtocol,
            CipherSuite = stream.NegotiatedCipherSuite,
            ApplicationProtocol = stream.NegotiatedApplicationProtocol,
            RemoteCertificate = stream.RemoteCertificate as X509Certificate2,
            TargetHostName = stream.TargetHostName,
        };
        Instruments.Chosen(DataPlaneKind.SslStream, DataPlaneKind.SslStream);
    }

    public override ConnectionFacts Facts { get; }

    public override DataPlaneStatus Sending { get; }

    public override DataPlaneStatus Receiving { get; }

    public override bool CloseNotifyReceived => _closeNotifyReceived;

    /// <summary>Authenticates by SslStream.</summary>
    /// <param name="socket">The socket; not disposed when this fails.</param>
    /// <param name="replay">What was read from the socket before.</param>
    /// <param name="authenticate">The role's call.</param>
    /// <param name="reason">Why it is SslStream.</param>
    /// <param name="options">What becomes of the socket, and how the stream has to end.</param>
    public static async Task<Connection> AuthenticateAsync(Socket socket, ReadOnlyMemory<byte> replay, Func<SslStream, Task> authenticate, string reason, KTlsOptions options)
    {
        var transport = new ReplayStream(new NetworkStream(socket, ownsSocket: false), replay);
        var stream = new SslStream(transport, leaveInnerStreamOpen: false);
        try
        {
            await authenticate(stream).ConfigureAwait(false);
            return new SslStreamConnection(stream, transport, options.LeaveSocketOpen ? null : socket, options.RequireCloseNotify, reason);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_readFailure is not null)
        {
            throw FailureAgain(_readFailure);
        }

        try
        {
            int read = await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0 && !buffer.IsEmpty)
            {
                NoteEnd();
            }

            return read;
        }
        catch (IOException e)
        {
            _readFailure = e;
            throw;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) => _stream.WriteAsync(buffer, cancellationToken);

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        FileCopy.RunAsync(file, offset, count, CopyBufferSize, _stream.WriteAsync, cancellationToken);

    public override byte[]? ExportKeyingMaterial(string label, byte[]? context, int length) => null;

    public override Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken) =>
        Task.FromException(new NotSupportedException("SslStream serves this connection, and has no way to change keys."));

    public override Task ShutdownAsync(CancellationToken cancellationToken) => _stream.ShutdownAsync().WaitAsync(cancellationToken);

    public override void Dispose()
    {
        _stream.Dispose();
        _ownedSocket?.Dispose();
    }

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _ownedSocket?.Dispose();
    }

    // SslStream ends alike with and without close_notify, but only without it has it come to the end of TCP.
    private void NoteEnd()
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            _closeNotifyReceived = !_transport.HasEnded;
            if (_requireCloseNotify && !_closeNotifyReceived)
            {
                throw new EndOfStreamException(NoCloseNotify);
            }
        }
    }
}
