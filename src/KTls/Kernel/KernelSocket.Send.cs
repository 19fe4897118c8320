using System.Runtime.CompilerServices;

namespace KTls.Kernel;

internal sealed partial class KernelSocket
{
    /// <summary>The longest payload of one record (RFC 8446, 5.1).</summary>
    public const int MaxRecordPayload = 1 << 14;

    private BriefWait _waitForRoom;

    /// <summary>Sends all of it: as application data records once the send keys are installed, else as plain bytes.</summary>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; a part, in whole records, may be out.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        int errno = Send(ref buffer);
        return errno switch
        {
            0 => default,
            ErrorNumber.EAGAIN => SendWhenWritableAsync(buffer, cancellationToken),
            _ => ValueTask.FromException(SocketFailure.ToException(KernelCalls.Send, errno)),
        };
    }

    /// <summary>Sends what there is room for at once, as <see cref="SendAsync"/> does, and advances past it.</summary>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public void TrySend(ref ReadOnlyMemory<byte> rest)
    {
        int errno = Send(ref rest);
        if (errno is not (0 or ErrorNumber.EAGAIN))
        {
            throw SocketFailure.ToException(KernelCalls.Send, errno);
        }
    }

    /// <summary>Sends one record of another content type than application data: an alert or a handshake message.</summary>
    /// <param name="contentType">The content type (RFC 8446, B.1).</param>
    /// <param name="payload">1 to 16384 bytes: an empty record is not one that the kernel sends.</param>
    /// <param name="cancellationToken">Ends the wait for room; the record is then not sent at all.</param>
    /// <exception cref="ArgumentException">The payload is empty or longer than a record.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask SendControlAsync(byte contentType, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (payload.Length is 0 or > MaxRecordPayload)
        {
            throw new ArgumentException($"A control record has 1 to {MaxRecordPayload} bytes.", nameof(payload));
        }

        int errno = SendRecord(contentType, ref payload);
        return errno switch
        {
            0 => default,
            ErrorNumber.EAGAIN => SendControlWhenWritableAsync(contentType, payload, cancellationToken),
            _ => ValueTask.FromException(SocketFailure.ToException(KernelCalls.SendRecord, errno)),
        };
    }

    /// <summary>Completes when a send that found no room is worth another try.</summary>
    /// <param name="hadRoom">Whether the send found any room, so that this is the first wait since.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    /// <remarks>
    /// Short of memory for all sockets together (tcp_mem), the kernel says EAGAIN though this one has room; then kernel TLS, unlike plain
    /// TCP, sees to no event for a writer that has nothing under way, so time has to bring the next try. With room at the first look it
    /// may have come just now.
    /// </remarks>
    public ValueTask WaitForRoomAsync(bool hadRoom, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return hadRoom && StaysForRoom() ? default : WaitLongerForRoomAsync(hadRoom, cancellationToken);
    }

    /// <summary>
    /// Completes when TCP's send buffer has room again, which it needs before the connection is ended.
    /// </summary>
    /// <remarks>
    /// A send is complete when the kernel has sealed the bytes. A record that TCP has no room for waits in a queue of kernel
    /// TLS, and a close drops what does not fit in at that moment, a shutdown(2) all of it (tls_sw_release_resources_tx).
    /// So a connection ends in this order: FlushAsync, the close_notify alert, FlushAsync, and only then shutdown or close.
    /// The alert's own send pushes out what is queued before it, into the room that the first flush has waited for.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken)
        : Poll(PollDescriptor.Writable) ? default
        : SendBlocksUntil != 0 ? WaitForRoomAsync(hadRoom: true, cancellationToken)
        : WaitUntilWritableAsync(cancellationToken);

    /// <summary>Whether TCP's send buffer has room now: <see cref="FlushAsync"/> would not wait.</summary>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public bool HasRoomToSend => Poll(PollDescriptor.Writable);

    // Whether room came while the thread stayed for it, for the moment that it may.
    private bool StaysForRoom() =>
        SendBlocksUntil != 0 ? BlockForRoomAtOnce() : StaysUntil(PollDescriptor.Writable, ref _waitForRoom, WaitingSeat.ForRoom);

    private ValueTask WaitLongerForRoomAsync(bool hadRoom, CancellationToken cancellationToken)
    {
        if (SendBlocksUntil != 0)
        {
            BlockForRoom(hadRoom);
            return default;
        }

        return !Poll(PollDescriptor.Writable) ? _readiness.WaitWritableAsync(cancellationToken)
            : hadRoom ? default
            : new ValueTask(Task.Delay(1, cancellationToken));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitUntilWritableAsync(CancellationToken cancellationToken)
    {
        do
        {
            await _readiness.WaitWritableAsync(cancellationToken).ConfigureAwait(false);
        }
        while (!Poll(PollDescriptor.Writable));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendWhenWritableAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        int errno;
        bool hadRoom = true;
        do
        {
            await WaitForRoomAsync(hadRoom, cancellationToken).ConfigureAwait(false);
            int before = rest.Length;
            errno = Send(ref rest);
            hadRoom = rest.Length != before;
        }
        while (errno == ErrorNumber.EAGAIN);

        if (errno != 0)
        {
            throw SocketFailure.ToException(KernelCalls.Send, errno);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendControlWhenWritableAsync(
        byte contentType, ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        int errno;
        bool hadRoom = true;
        do
        {
            await WaitForRoomAsync(hadRoom, cancellationToken).ConfigureAwait(false);
            hadRoom = false;
            errno = SendRecord(contentType, ref rest);
        }
        while (errno == ErrorNumber.EAGAIN);

        if (errno != 0)
        {
            throw SocketFailure.ToException(KernelCalls.SendRecord, errno);
        }
    }

    // Sends as much as fits and advances past it: 0 when all is out, else the errno. Where less is taken than is there, there is no more
    // room, as a rule, and the next call would only say so; if not, the wait for room says that.
    private unsafe int Send(ref ReadOnlyMemory<byte> rest)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ReadOnlySpan<byte> span = rest.Span;
        int sent = 0;
        int errno = 0;
        fixed (byte* start = span)
        {
            while (sent < span.Length && errno is 0 or ErrorNumber.EINTR)
            {
                nint result = LibC.send(
                    _handle, start + sent, (nuint)(span.Length - sent), LibC.MsgDontWait | LibC.MsgNoSignal);
                sent += result < 0 ? 0 : (int)result;
                errno = result < 0 ? LibC.LastError : sent < span.Length ? ErrorNumber.EAGAIN : 0;
            }
        }

        rest = rest[sent..];
        return errno;
    }

    private unsafe int SendRecord(byte contentType, ref ReadOnlyMemory<byte> rest)
    {
        ReadOnlySpan<byte> span = rest.Span;
        int sent = 0;
        int errno = 0;
        fixed (byte* start = span)
        {
            while (sent < span.Length && errno == 0)
            {
                nint result = SendMessage(contentType, start + sent, span.Length - sent);
                errno = result < 0 ? (int)-result : 0;
                sent += result < 0 ? 0 : (int)result;
            }
        }

        rest = rest[sent..];
        return errno;
    }

    // The number of bytes, or the negative errno. With no payload, only closes a record that the kernel holds open.
    private unsafe nint SendMessage(byte contentType, byte* payload, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        RecordTypeMessage control = RecordTypeMessage.ForSending(contentType);
        IoVector vector = new() { Base = payload, Length = (nuint)length };
        MessageHeader message = new()
        {
            Vectors = &vector,
            VectorCount = 1,
            Control = &control,
            ControlLength = (nuint)sizeof(RecordTypeMessage),
        };
        while (true)
        {
            nint sent = LibC.sendmsg(_handle, &message, LibC.MsgDontWait | LibC.MsgNoSignal);
            if (sent >= 0)
            {
                return sent;
            }

            int errno = LibC.LastError;
            if (errno != ErrorNumber.EINTR)
            {
                return -errno;
            }
        }
    }
}
