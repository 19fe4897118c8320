using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace KTls.Kernel;

internal sealed partial class KernelSocket
{
    // sendfile(2) moves at most 0x7ffff000 bytes a call. Smaller chunks let a cancellation through while the peer keeps up;
    // a multiple of the record size, because the end of a chunk is the end of a record.
    private const long SendFileChunk = 1024L * MaxRecordPayload;

    private bool _hasSentFile;

    /// <summary>
    /// Sends a part of a file without bringing it into user space; the file's own position is neither used nor moved.
    /// </summary>
    /// <param name="file">A regular file, open for reading.</param>
    /// <param name="offset">Where to start, in bytes, not negative.</param>
    /// <param name="count">
    /// How many bytes to send, not negative, and no more than the file has: the kernel keeps the last record open for what a larger count
    /// promises (MSG_MORE). A file that is shorter by now ends it before, with one more wait.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for room; a part, in whole records, may be out.</param>
    /// <returns>How many bytes went out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The offset or the count is negative.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="FileReadException">The file failed.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of, now or while waiting.</exception>
    public ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<long>(cancellationToken);
        }

        if (!_hasSentFile)
        {
            int failure = AvoidBlocking();
            if (failure != 0)
            {
                return ValueTask.FromException<long>(SocketFailure.ToException("fcntl(O_NONBLOCK)", failure));
            }

            LimitBlocking();
            _hasSentFile = true;
        }

        long end = checked(offset + count);
        long position = offset;
        int errno = SendFile(file, ref position, end, cancellationToken);
        return errno switch
        {
            0 => new ValueTask<long>(position - offset),
            ErrorNumber.EAGAIN => SendFileWhenWritableAsync(file, offset, position, end, cancellationToken),
            ErrorNumber.ECANCELED => ValueTask.FromCanceled<long>(cancellationToken),
            _ => ValueTask.FromException<long>(ToException(errno)),
        };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<long> SendFileWhenWritableAsync(
        SafeFileHandle file, long offset, long position, long end, CancellationToken cancellationToken)
    {
        int errno;
        bool hadRoom = true;
        try
        {
            do
            {
                if (!hadRoom || !StaysForRoom())
                {
                    PushQueued();
                    await WaitLongerForRoomAsync(hadRoom, cancellationToken).ConfigureAwait(false);
                }

                long before = position;
                errno = SendFile(file, ref position, end, cancellationToken);
                hadRoom = position != before;
            }
            while (errno == ErrorNumber.EAGAIN);
        }
        catch (OperationCanceledException)
        {
            CloseOpenRecord();
            throw;
        }

        return errno switch
        {
            0 => position - offset,
            ErrorNumber.ECANCELED => throw new OperationCanceledException(cancellationToken),
            _ => throw ToException(errno),
        };
    }

    // sendfile(2) has one errno for both ends. What is neither the connection's, be it by a message of ICMP, nor a record's that could not be sealed, nor
    // a lack of memory, is the file's. A network file system may say ETIMEDOUT or ENOTCONN, too: that is taken for the connection's.
    private static IOException ToException(int errno)
    {
        IOException failure = SocketFailure.ToException(KernelCalls.SendFile, errno);
        return failure is KernelTlsException
        {
            Errno: not (ErrorNumber.EBADMSG or ErrorNumber.EMSGSIZE or ErrorNumber.EACCES or ErrorNumber.EPROTO or ErrorNumber.ENOPROTOOPT or ErrorNumber.ENOMEM or ErrorNumber.ENOBUFS)
        }
            ? new FileReadException(failure)
            : failure;
    }

    // Sends as much as fits and advances past it. 0: all is out, or the file ended; EAGAIN: to be called again;
    // ECANCELED: the token, which is looked at between chunks.
    private unsafe int SendFile(SafeFileHandle file, ref long position, long end, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long next = position;
        int errno = 0;
        while (next < end)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                CloseOpenRecord();
                errno = ErrorNumber.ECANCELED;
                break;
            }

            long chunk = Math.Min(end - next, SendFileChunk);
            nint sent = LibC.sendfile(_handle, file, &next, (nuint)chunk); // advances next
            errno = sent < 0 ? LibC.LastError : 0;
            if (sent == chunk || errno == ErrorNumber.EINTR)
            {
                continue;
            }

            if (sent > 0)
            {
                errno = ErrorNumber.EAGAIN; // no room for more, or the file ended: the next call tells which
                break;
            }

            if (errno != ErrorNumber.EAGAIN)
            {
                // The file is shorter than it was, or could not be read: more was promised to the open record than comes.
                CloseOpenRecord();
            }

            break;
        }

        position = next;
        return errno;
    }

    // Kernel TLS hands a record to TCP with the word that more follows (MSG_MORE), and TCP then keeps less than a segment back. With a
    // small send buffer (SO_SNDBUF, or tcp_mem is short) the next record meets a full one, and what is kept back waits: for TCP's
    // probe after 200 ms, and before 6.5 for ever. To end a cork that was never set sends it (tcp_push_pending_frames).
    private unsafe void PushQueued()
    {
        int off = 0;
        _ = SetOption(IpProtoTcp, TcpCork, &off, sizeof(int)); // has no reason to fail that the next send does not tell
    }

    // 0 or the errno. sendfile(2) has no flag for it.
    private int AvoidBlocking()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int flags = LibC.fcntl(_handle, LibC.FcntlGetFlags, 0);
        bool done = flags >= 0 && ((flags & LibC.NonBlocking) != 0 || LibC.fcntl(_handle, LibC.FcntlSetFlags, flags | LibC.NonBlocking) >= 0);
        return done ? 0 : LibC.LastError;
    }

    // Where sendfile finds a file shorter than asked for, the kernel closes the open record by a send that blocks, O_NONBLOCK
    // or not (tls_sw_splice_eof, Linux 6.5 and later): the thread would hang until the peer reads on. Nothing else blocks
    // on this socket, so a send timeout of one tick touches only that; the record is sealed and follows by itself.
    private unsafe void LimitBlocking()
    {
        TimeValue tick = new() { Microseconds = 1000 };
        _ = SetOption(SolSocket, SendTimeout, &tick, (uint)sizeof(TimeValue)); // no reason not to send
    }

    // What sendfile leaves in an open record would wait for the next send: always where the kernel does not notice that a file
    // ended early (before 6.5, unless carried back), and after an error or a cancellation if the record was not full at that
    // moment. An empty control message of the same type closes the record and adds none. If there is no room now, the record
    // is sealed and queued all the same, so EAGAIN counts as done.
    private unsafe void CloseOpenRecord() => _ = SendMessage(ReceivedRecord.ApplicationData, null, 0);
}
