using System.Runtime.CompilerServices;
using KTls.Handshake;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    // Between two pieces of a long write others get their turn: a KeyUpdate, an alert. A multiple of the record size, because the
    // end of a piece is the end of a record.
    private const int MaxPiece = 64 * RecordHeader.MaxPlaintext;

    // A whole write, or the end of the stream, holds _writing. Whoever sends records, the reader with its alerts included, holds _sending.
    private Turn _writing;
    private Turn _sending;
    private readonly SendPlane _send;
    private KeyUsage _sealed;
    private int _isWriteUnderWay;

    // close_notify is sealed, so nothing may follow it; and it is with TCP, so nothing is left to do.
    private bool _isShutDown;
    private bool _isCloseNotifyOut;
    private Exception? _sendFailure;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        WriteAsync(buffer, until: 0, cancellationToken);

    /// <inheritdoc/>
    public override void Write(ReadOnlyMemory<byte> buffer, long until, CancellationToken cancellationToken)
    {
        ValueTask writing = WriteAsync(buffer, until, cancellationToken);
        if (writing.IsCompleted)
        {
            writing.GetAwaiter().GetResult();
        }
        else
        {
            writing.AsTask().GetAwaiter().GetResult();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, long until, CancellationToken cancellationToken)
    {
        await Here(BeginWriteAsync(cancellationToken), until).ConfigureAwait(false);
        try
        {
            bool isFirst = true;
            do
            {
                await Here(LockSendingAsync(cancellationToken), until).ConfigureAwait(false);
                _socket.SendBlocksUntil = until;
                try
                {
                    ThrowIfNothingMayBeSent();
                    await PrepareKeysAsync(buffer.Length, RecordHeader.MaxPlaintext, isFirst, cancellationToken).ConfigureAwait(false);
                    isFirst = false;
                    int length = (int)Piece(buffer.Length, RecordHeader.MaxPlaintext);
                    await _send.SendAsync(buffer[..length], cancellationToken).ConfigureAwait(false);
                    buffer = buffer[length..];
                }
                finally
                {
                    _socket.SendBlocksUntil = 0;
                    UnlockSending();
                }
            }
            while (!buffer.IsEmpty);
        }
        finally
        {
            EndWrite();
        }
    }

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        SendFileAsync(file, offset, count, until: 0, cancellationToken);

    /// <inheritdoc/>
    public override long SendFile(SafeFileHandle file, long offset, long count, long until, CancellationToken cancellationToken)
    {
        ValueTask<long> sending = SendFileAsync(file, offset, count, until, cancellationToken);
        return sending.IsCompleted ? sending.GetAwaiter().GetResult() : sending.AsTask().GetAwaiter().GetResult();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, long until, CancellationToken cancellationToken)
    {
        await Here(BeginWriteAsync(cancellationToken), until).ConfigureAwait(false);
        try
        {
            // What the file does not have counts against no limit.
            count = Math.Min(count, Math.Max(0, FileCopy.LengthOf(file) - offset));
            long sent = 0;
            bool isFirst = true;
            while (true)
            {
                await Here(LockSendingAsync(cancellationToken), until).ConfigureAwait(false);
                _socket.SendBlocksUntil = until;
                try
                {
                    ThrowIfNothingMayBeSent();
                    await PrepareKeysAsync(count, KeyUsage.MinFileRecord, isFirst, cancellationToken).ConfigureAwait(false);
                    isFirst = false;
                    long length = Piece(count - sent, KeyUsage.MinFileRecord);
                    long sentNow = await _send.SendFileAsync(file, offset + sent, length, cancellationToken).ConfigureAwait(false);
                    sent += sentNow;
                    if (sent == count || sentNow < length)
                    {
                        return sent;
                    }
                }
                finally
                {
                    _socket.SendBlocksUntil = 0;
                    UnlockSending();
                }
            }
        }
        finally
        {
            EndWrite();
        }
    }

    public override async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        if (_isCloseNotifyOut)
        {
            return;
        }

        ThrowIfCloseNotifyMayNotBeSent();
        await _writing.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await LockSendingAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                ThrowIfCloseNotifyMayNotBeSent();
                await SendCloseNotifyAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                UnlockSending();
            }
        }
        finally
        {
            _writing.Exit();
        }
    }

    // Cancelled when the alert is sealed and not out, it goes on from there the next time.
    private async ValueTask SendCloseNotifyAsync(CancellationToken cancellationToken)
    {
        if (!_isShutDown)
        {
            await _send.FlushAsync(cancellationToken).ConfigureAwait(false);
            await SendControlAsync(ContentType.Alert, TlsAlert.Create(AlertDescription.CloseNotify), cancellationToken).ConfigureAwait(false);
            _isShutDown = true;
        }

        await _send.FlushAsync(cancellationToken).ConfigureAwait(false);
        _isCloseNotifyOut = true;
    }

    // How much of so many bytes goes out in one piece. It is counted now: of a send that fails or is cancelled a part may be out.
    private long Piece(long bytes, int recordSize)
    {
        long length = Math.Min(bytes, MaxPiece);
        if (CanChangeSendKeys)
        {
            length = _sealed.Allowance(_limits, length, recordSize);
        }

        _sealed.Add(length, KeyUsage.RecordsOf(length, recordSize));
        return length;
    }

    private ValueTask SendControlAsync(ContentType type, byte[] content, CancellationToken cancellationToken)
    {
        _sealed.Add(content.Length, 1);
        return _send.SendControlAsync(type, content, cancellationToken);
    }

    private ValueTask BeginWriteAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isWriteUnderWay, 1) != 0)
        {
            throw new NotSupportedException("Another write operation is under way.");
        }

        return !cancellationToken.IsCancellationRequested && _writing.TryEnter() ? default : BeginWriteSlowlyAsync(cancellationToken);
    }

    private async ValueTask BeginWriteSlowlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _writing.EnterAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref _isWriteUnderWay, 0);
            throw;
        }
    }

    private void EndWrite()
    {
        _writing.Exit();
        Volatile.Write(ref _isWriteUnderWay, 0);
    }

    // A synchronous write waits for its turn, too, with its own thread, or all later waits of it would take one of the pool's.
    private static ValueTask Here(ValueTask turn, long until)
    {
        if (until == 0 || turn.IsCompleted)
        {
            return turn;
        }

        turn.AsTask().GetAwaiter().GetResult();
        return default;
    }

    // Whoever waits gets it before the one who asks again at once.
    private ValueTask LockSendingAsync(CancellationToken cancellationToken) => new(_sending.EnterAsync(cancellationToken));

    private void UnlockSending()
    {
        _sending.Exit();
        if (Volatile.Read(ref _alertToSend) != NoAlert)
        {
            SendPendingAlert();
        }
    }

    private void ThrowIfNothingMayBeSent()
    {
        ThrowIfFailed();
        if (_isShutDown)
        {
            throw new InvalidOperationException("The stream was shut down; nothing can be written after close_notify.");
        }
    }

    private void ThrowIfCloseNotifyMayNotBeSent()
    {
        if (!_isShutDown)
        {
            ThrowIfFailed();
        }
    }

    // After a fatal alert of either side nothing more may be sent (RFC 8446 §6.2).
    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _sendFailure) is { } failure)
        {
            throw FailureAgain(failure);
        }
    }
}
