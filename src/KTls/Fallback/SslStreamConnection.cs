using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using KTls.Authentication;
using KTls.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace KTls.Fallback;

/// <summary>A connection that SslStream serves.</summary>
internal sealed class SslStreamConnection : Connection
{
    private const int CopyBufferSize = 64 * 1024;

    private readonly SslStream _stream;
    private readonly ReplayStream _transport;
    private readonly Socket _socket;

    // Whether the socket blocked before, as it shall again for the owner to whom it is left open; null: it is the stream's.
    private readonly bool? _leavesOpenAs;
    private readonly bool _requireCloseNotify;
    private int _isWriteUnderWay;

    // A whole write, or the end of the stream: SslStream itself would send close_notify between two records of a write.
    private readonly SemaphoreSlim _writing = new(1, 1);

    // A part of a record may be out, or a record that was sealed and is missing: SslStream would go on, and the peer find garbage.
    private bool _isBroken;
    private bool _isShutDown;
    private bool _hasEnded;
    private bool _closeNotifyReceived;
    private IOException? _readFailure;

    private SslStreamConnection(SslStream stream, ReplayStream transport, Socket socket, bool? leavesOpenAs, bool requireCloseNotify, Obstacle obstacle)
    {
        _stream = stream;
        _transport = transport;
        _socket = socket;
        _leavesOpenAs = leavesOpenAs;
        _requireCloseNotify = requireCloseNotify;
        Sending = Receiving = obstacle.ToStatus(DataPlaneKind.SslStream);
        Facts = new ConnectionFacts
        {
            Protocol = stream.SslProtocol,
            CipherSuite = stream.NegotiatedCipherSuite,
            ApplicationProtocol = stream.NegotiatedApplicationProtocol,
            RemoteCertificate = stream.RemoteCertificate as X509Certificate2,
            LocalCertificate = stream.LocalCertificate as X509Certificate2,
            IsServer = stream.IsServer,
            OtherBindings = stream.TransportContext,
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
    /// <param name="obstacle">Why it is SslStream.</param>
    /// <param name="options">What becomes of the socket, and how the stream has to end.</param>
    public static async Task<Connection> AuthenticateAsync(Socket socket, ReadOnlyMemory<byte> replay, Func<SslStream, Task> authenticate, Obstacle obstacle, KTlsOptions options)
    {
        // NetworkStream takes no other; what is asynchronous does not wait either way.
        bool blocks = socket.Blocking;
        socket.Blocking = true;
        var transport = new ReplayStream(socket, replay);
        var stream = new SslStream(transport, leaveInnerStreamOpen: false);
        try
        {
            await authenticate(stream).ConfigureAwait(false);
            return new SslStreamConnection(stream, transport, socket, options.LeaveSocketOpen ? blocks : null, options.RequireCloseNotify, obstacle);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            GiveBack(socket, blocks);
            throw;
        }
    }

    private static void GiveBack(Socket socket, bool blocks)
    {
        try
        {
            socket.Blocking = blocks;
        }
        catch (ObjectDisposedException)
        {
            // Its owner has closed it meanwhile.
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

    // SslStream's own synchronous read knows no time limit after which it could be tried again.
    public override int Read(Memory<byte> buffer, long until, CancellationToken cancellationToken) =>
        ReadAsync(buffer, cancellationToken).AsTask().GetAwaiter().GetResult();

    public override void Write(ReadOnlyMemory<byte> buffer, long until, CancellationToken cancellationToken) =>
        WriteAsync(buffer, cancellationToken).AsTask().GetAwaiter().GetResult();

    public override long SendFile(SafeFileHandle file, long offset, long count, long until, CancellationToken cancellationToken) =>
        SendFileAsync(file, offset, count, cancellationToken).AsTask().GetAwaiter().GetResult();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await SendAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndWrite();
        }
    }

    public override async ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await FileCopy.RunAsync(file, offset, count, CopyBufferSize, blocks: false, SendAsync, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndWrite();
        }
    }

    public override byte[]? ExportKeyingMaterial(string label, byte[]? context, int length) => null;

    public override Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken) =>
        Task.FromException(new NotSupportedException("SslStream serves this connection, and has no way to change keys."));

    public override async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        if (_isShutDown)
        {
            return;
        }

        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_isShutDown)
            {
                ThrowIfBroken();
                _isBroken = true;
                await _stream.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                (_isBroken, _isShutDown) = (false, true);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    public override void Dispose()
    {
        _stream.Dispose();
        LetGo();
    }

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        LetGo();
    }

    private void LetGo()
    {
        if (_leavesOpenAs is { } blocks)
        {
            GiveBack(_socket, blocks);
        }
        else
        {
            _socket.Dispose();
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfBroken();
        try
        {
            await _stream.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            _isBroken = true;
            throw;
        }
    }

    private void ThrowIfBroken()
    {
        if (_isBroken)
        {
            throw new IOException("An earlier write was cancelled or failed in the middle of a record; nothing more can be sent.");
        }
    }

    private ValueTask BeginWriteAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isWriteUnderWay, 1) != 0)
        {
            throw new NotSupportedException("Another write operation is under way.");
        }

        return !cancellationToken.IsCancellationRequested && _writing.Wait(0, CancellationToken.None) ? default : BeginWriteSlowlyAsync(cancellationToken);
    }

    private async ValueTask BeginWriteSlowlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref _isWriteUnderWay, 0);
            throw;
        }
    }

    private void EndWrite()
    {
        _writing.Release();
        Volatile.Write(ref _isWriteUnderWay, 0);
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
