namespace KTls.Kernel;

/// <summary>
/// Synchronous calls. A receive waits inside recvmsg(2), as in a program in C: that is one call where a wait and another try are
/// three and more. Where the call may not wait (a socket with O_NONBLOCK, a time limit), the thread waits in poll(2), as it does for room.
/// </summary>
/// <remarks>
/// A send itself never blocks: a signal that interrupts one of kernel TLS in its wait for room breaks the connection (tls_tx_records), and only
/// shutdown(2) would end it, which throws away what is sealed and not out. For the same reason nothing but time ends a poll(2) for room, so it is a
/// short one, again and again.
/// </remarks>
internal sealed partial class KernelSocket
{
    /// <summary>Waits for as long as it takes.</summary>
    public const long WithoutEnd = long.MaxValue;

    private const int ShutdownReceive = 0; // SHUT_RD

    // How long, in milliseconds, a thread waits for room at once, first and at most: Dispose waits for it.
    private const int FirstBlockForRoom = 20;
    private const int LongestBlockForRoom = 160;

    private int _blockedReceives;

    /// <summary>
    /// Set while a synchronous receive is under way: until then (<see cref="Environment.TickCount64"/>) its thread waits itself, and a
    /// receive or a wait for data is complete when its method returns. 0: none is under way, and threads are let go.
    /// </summary>
    public long ReceiveBlocksUntil { get; set; }

    /// <summary>As <see cref="ReceiveBlocksUntil"/> for sends and waits for room, set by who holds the turn to send.</summary>
    public long SendBlocksUntil { get; set; }

    private int ReceiveFlags => ReceiveBlocksUntil == WithoutEnd ? 0 : LibC.MsgDontWait;

    // It is worth another try then, for a signal ends the wait, too.
    private unsafe void BlockForData()
    {
        int left = MillisecondsUntil(ReceiveBlocksUntil);
        using BlockedCall blocked = new(this);
        bool held = false;
        try
        {
            _handle.DangerousAddRef(ref held);
            PollDescriptor descriptor = new() { Descriptor = (int)_handle.DangerousGetHandle(), Events = PollDescriptor.Readable };
            int ready = CallFaults.Fails(_handle, "poll") ? -1 : LibC.poll(&descriptor, 1, left);
            if (ready < 0 && LibC.LastError is not ErrorNumber.EINTR and int errno)
            {
                throw SocketFailure.ToException(KernelCalls.Poll, errno);
            }
        }
        finally
        {
            if (held)
            {
                _handle.DangerousRelease();
            }
        }
    }

    // What WaitLongerForRoomAsync does.
    private void BlockForRoom(bool hadRoom)
    {
        if (!hadRoom && Poll(PollDescriptor.Writable))
        {
            Thread.Sleep(1);
        }

        for (int atOnce = FirstBlockForRoom; !BlockForRoomAtOnce(atOnce);)
        {
            atOnce = Math.Min(2 * atOnce, LongestBlockForRoom);
        }
    }

    // Whether room came, within so many milliseconds.
    private bool BlockForRoomAtOnce(int atMost = FirstBlockForRoom)
    {
        int left = MillisecondsUntil(SendBlocksUntil);
        return Stay(PollDescriptor.Writable, left < 0 ? atMost : Math.Min(left, atMost));
    }

    // As poll(2) takes it: -1 is without end.
    private static int MillisecondsUntil(long until)
    {
        if (until == WithoutEnd)
        {
            return -1;
        }

        long left = until - Environment.TickCount64;
        return left > 0 ? (int)Math.Min(left, int.MaxValue) : throw new OperationCanceledException("Time is up.");
    }

    // Nothing else ends a receive that waits. What is being sent does not suffer.
    private void EndBlockedReceive()
    {
        Interlocked.MemoryBarrier();
        for (SpinWait wait = default; Volatile.Read(ref _blockedReceives) != 0; wait.SpinOnce())
        {
            try
            {
                _ = LibC.shutdown(_handle, ShutdownReceive); // fails where the connection is gone, which ends the call, too
            }
            catch (ObjectDisposedException)
            {
                // The owner closed the descriptor first, and .NET has ended the call for him.
            }
        }
    }

    /// <summary>Around a call that may wait: either it sees the socket disposed of, or Dispose sees it.</summary>
    private readonly ref struct BlockedCall
    {
        private readonly KernelSocket? _socket;

        /// <exception cref="ObjectDisposedException">The socket was disposed of.</exception>
        public BlockedCall(KernelSocket socket)
        {
            Interlocked.Exchange(ref socket._blockedReceives, 1);
            if (socket._disposed)
            {
                Volatile.Write(ref socket._blockedReceives, 0);
                throw new ObjectDisposedException(nameof(KernelSocket));
            }

            _socket = socket;
        }

        /// <exception cref="ObjectDisposedException">Whoever ended the call has closed the socket: what it returned is no end of the stream.</exception>
        public void Dispose()
        {
            if (_socket is not null)
            {
                Volatile.Write(ref _socket._blockedReceives, 0);
                ObjectDisposedException.ThrowIf(_socket._disposed || _socket._handle.IsClosed, _socket);
            }
        }
    }
}
