using System.Runtime.CompilerServices;

namespace KTls.Kernel;

internal sealed partial class KernelSocket
{
    private BriefWait _waitForData;

    // Whether the last receive brought a record's fill or more. A stream of data is left to gather meanwhile: who is there for each record
    // makes many more calls.
    private bool _receivesMuch;

    // Whether the last receive of plain bytes took less than it had room for, so all that there was: what comes later is an event of its own, but for an end
    // (SocketReadiness.HasEnded). Behind urgent data, where a receive stops, too, there may be more; a peer that sends any has to send again.
    private bool _isDrained;

    /// <summary>
    /// Receives plain bytes, 0 at the end of the stream. For a socket whose receive keys are not installed yet: afterwards
    /// it cannot tell an empty record from the end, and a control record fails with EIO.
    /// </summary>
    /// <exception cref="ArgumentException">The buffer is empty, so that 0 would have two meanings.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        ThrowIfEmpty(buffer.Length);
        int result = Receive(buffer.Span);
        return result switch
        {
            >= 0 => new ValueTask<int>(result),
            -ErrorNumber.EAGAIN => ReceiveWhenReadableAsync(buffer, cancellationToken),
            _ => ValueTask.FromException<int>(SocketFailure.ToException(KernelCalls.Receive, -result)),
        };
    }

    /// <summary>
    /// As <see cref="ReceiveAsync"/>, for what the peer can only answer now: without a first try that would be in vain, where the wait begins with a
    /// look, or tells of all that has come since the last receive.
    /// </summary>
    /// <inheritdoc cref="ReceiveAsync"/>
    public ValueTask<int> ReceiveAnswerAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        bool isTryInVain = _readiness.LooksFirst || (_isDrained && !_readiness.HasEnded);
        if (!isTryInVain || cancellationToken.IsCancellationRequested)
        {
            return ReceiveAsync(buffer, cancellationToken);
        }

        ThrowIfEmpty(buffer.Length);
        return ReceiveWhenReadableAsync(buffer, cancellationToken);
    }

    /// <summary>Receives what is there: application data, of one or more records, or (a part of) one control record.</summary>
    /// <remarks>A control record longer than the buffer comes in parts; 16384 bytes take any.</remarks>
    /// <exception cref="ArgumentException">The buffer is empty, so that the end of the stream could not be told.</exception>
    /// <exception cref="KernelTlsException">A record cannot be opened, or new keys are needed (EKEYEXPIRED).</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask<ReceivedRecord> ReceiveRecordAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReceivedRecord>(cancellationToken);
        }

        ThrowIfEmpty(buffer.Length);
        int errno = ReceiveRecord(buffer.Span, ReceiveFlags, out ReceivedRecord record);
        return errno switch
        {
            0 => new ValueTask<ReceivedRecord>(record),
            ErrorNumber.EAGAIN => ReceiveRecordWhenReadableAsync(buffer, cancellationToken),
            _ => ValueTask.FromException<ReceivedRecord>(SocketFailure.ToException(KernelCalls.ReceiveRecord, errno)),
        };
    }

    /// <summary>As <see cref="ReceiveRecordAsync"/>, but false when nothing is there yet.</summary>
    /// <inheritdoc cref="ReceiveRecordAsync"/>
    public bool TryReceiveRecord(Span<byte> buffer, out ReceivedRecord record)
    {
        ThrowIfEmpty(buffer.Length);
        int errno = ReceiveRecord(buffer, LibC.MsgDontWait, out record);
        return errno switch
        {
            0 => true,
            ErrorNumber.EAGAIN => false,
            _ => throw SocketFailure.ToException(KernelCalls.ReceiveRecord, errno),
        };
    }

    /// <summary>
    /// Whether a receive has something to return: data, a whole record once the keys are installed, the end of the
    /// stream or an error. Takes nothing, so it serves zero-byte reads.
    /// </summary>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public bool IsReadable => Poll(PollDescriptor.Readable);

    /// <summary>
    /// As <see cref="IsReadable"/>, for a socket whose receive keys can change. The kernel opens a KeyUpdate that stands behind
    /// data together with the data, and keeps it for the next receive; but poll(2) and epoll(7) tell of nothing then until there are new
    /// keys. Only a receive sees it.
    /// </summary>
    /// <exception cref="KernelTlsException">A record cannot be opened, or new keys are needed (EKEYEXPIRED).</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public bool HasRecord => IsReadable || HasOpenedRecord();

    /// <summary>Completes when <see cref="IsReadable"/>, which was false, is worth another look.</summary>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken)
    {
        if (ReceiveBlocksUntil == 0)
        {
            return _readiness.WaitReadableAsync(cancellationToken);
        }

        BlockForData();
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveWhenReadableAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        bool stayed = ReceiveBlocksUntil == 0 && !_receivesMuch && StaysUntil(PollDescriptor.Readable, ref _waitForData, WaitingSeat.ForData);
        while (true)
        {
            if (!stayed)
            {
                await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
            }

            stayed = false;
            int result = Receive(buffer.Span);
            if (result >= 0)
            {
                return result;
            }

            if (result != -ErrorNumber.EAGAIN)
            {
                throw SocketFailure.ToException(KernelCalls.Receive, -result);
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReceivedRecord> ReceiveRecordWhenReadableAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        bool stayed = ReceiveBlocksUntil == 0 && !_receivesMuch && StaysUntil(PollDescriptor.Readable, ref _waitForData, WaitingSeat.ForData);
        while (true)
        {
            if (!stayed)
            {
                await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
            }

            stayed = false;
            int errno = ReceiveRecord(buffer.Span, ReceiveFlags, out ReceivedRecord record);
            if (errno == 0)
            {
                return record;
            }

            if (errno != ErrorNumber.EAGAIN)
            {
                throw SocketFailure.ToException(KernelCalls.ReceiveRecord, errno);
            }
        }
    }

    // Looks at one byte and leaves it there. An error is told here, for the kernel tells those of TCP only once.
    private bool HasOpenedRecord()
    {
        Span<byte> first = stackalloc byte[1];
        int errno = ReceiveRecord(first, LibC.MsgDontWait | LibC.MsgPeek, out _);
        return errno switch
        {
            0 => true,
            ErrorNumber.EAGAIN => false,
            _ => throw SocketFailure.ToException(KernelCalls.ReceiveRecord, errno),
        };
    }

    // The number of bytes, or the negative errno, as the kernel itself returns it.
    private unsafe int Receive(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint received = Receive(start, (nuint)buffer.Length);
                if (received >= 0)
                {
                    _receivesMuch = received >= MaxRecordPayload;
                    _isDrained = received < buffer.Length;
                }

                if (received != -ErrorNumber.EINTR)
                {
                    return (int)received;
                }
            }
        }
    }

    // The number of bytes, or the negative errno.
    private unsafe nint Receive(byte* start, nuint length)
    {
        int flags = ReceiveFlags;
        using BlockedCall blocked = (flags & LibC.MsgDontWait) != 0 ? default : new BlockedCall(this);
        nint received = LibC.recv(_handle, start, length, flags);
        return received >= 0 ? received : -LibC.LastError;
    }

    private unsafe nint ReceiveMessage(MessageHeader* message, int flags)
    {
        using BlockedCall blocked = (flags & LibC.MsgDontWait) != 0 ? default : new BlockedCall(this);
        nint received = LibC.recvmsg(_handle, message, flags);
        return received >= 0 ? received : -LibC.LastError;
    }

    // 0 or the errno.
    private unsafe int ReceiveRecord(Span<byte> buffer, int flags, out ReceivedRecord record)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        record = default;
        RecordTypeMessage control = default;
        bool hasMetReset = false;
        fixed (byte* start = buffer)
        {
            IoVector vector = new() { Base = start, Length = (nuint)buffer.Length };
            MessageHeader message = default;
            while (true)
            {
                message.Vectors = &vector;
                message.VectorCount = 1;
                message.Control = &control;
                message.ControlLength = (nuint)sizeof(RecordTypeMessage);

                nint received = ReceiveMessage(&message, flags);
                if (received < 0)
                {
                    int errno = (int)-received;
                    if (errno == ErrorNumber.EPIPE && !hasMetReset)
                    {
                        // A reset that came after the peer's own end, such as its answer to what we sent, takes nothing back: plain TCP
                        // gives what is there, and the end. Kernel TLS tells the reset first (tls_rx_rec_wait), once, and then does the same.
                        hasMetReset = true;
                        continue;
                    }

                    if (errno == ErrorNumber.EINTR)
                    {
                        continue;
                    }

                    return errno;
                }

                if ((message.Flags & LibC.MsgControlTruncated) != 0)
                {
                    return ErrorNumber.EIO; // what the kernel says when the type of a control record does not fit
                }

                // The kernel attaches the type to every record, empty ones included, and to nothing else. Without keys
                // there are no records: plain bytes pass for application data.
                _receivesMuch = received >= MaxRecordPayload;
                bool typed = control.TryGetContentType(message.ControlLength, out byte contentType);
                record = new ReceivedRecord(
                    typed ? contentType : received == 0 ? (byte)0 : ReceivedRecord.ApplicationData,
                    (int)received,
                    EndOfStream: !typed && received == 0,
                    EndOfRecord: !typed || contentType == ReceivedRecord.ApplicationData || (message.Flags & LibC.MsgEndOfRecord) != 0);
                return 0;
            }
        }
    }

    // Level-triggered, unlike the readiness thread: what is there now, whoever has been told of it.
    private bool Poll(short events)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        bool held = false;
        try
        {
            _handle.DangerousAddRef(ref held);
            return Poll(events, milliseconds: 0);
        }
        finally
        {
            if (held)
            {
                _handle.DangerousRelease();
            }
        }
    }

    private unsafe bool Poll(short events, int milliseconds)
    {
        PollDescriptor descriptor = new() { Descriptor = (int)_handle.DangerousGetHandle(), Events = events };
        int ready;
        while ((ready = CallFaults.Fails(_handle, "poll") ? -1 : LibC.poll(&descriptor, 1, milliseconds)) < 0)
        {
            int errno = LibC.LastError;
            if (errno != ErrorNumber.EINTR)
            {
                throw SocketFailure.ToException(KernelCalls.Poll, errno);
            }

            // Signals that keep coming must not prolong a wait for ever.
            if (milliseconds != 0)
            {
                return false;
            }
        }

        return ready > 0;
    }

    private static void ThrowIfEmpty(int length)
    {
        if (length == 0)
        {
            throw new ArgumentException("A receive needs a buffer; to wait for data without one, use IsReadable and WaitReadableAsync.");
        }
    }
}
