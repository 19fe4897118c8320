using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// The one background thread of the process that waits in epoll for all sockets, or the pool in its place. It only passes events on: user code
/// runs on the thread pool.
/// </summary>
/// <remarks>
/// <para>
/// Why an event never reaches a wrong socket, even after its descriptor was closed and the number given to another one:
/// the kernel hands back a token, not a pointer. The token names a slot in a table and a number that no other registration
/// of the process has; the socket in the slot is taken only if its own token, which never changes once set, is equal. An
/// event of a socket that is gone (later in a batch that was fetched before, or of a descriptor whose duplicate still
/// lives) finds an empty slot or another token, and is dropped. So the thread waits for no socket's lock, and nothing is ever freed
/// under it: the collector keeps a socket for as long as the thread looks at it.
/// </para>
/// <para>
/// EPOLL_CTL_DEL needs the descriptor's number, so it runs only while the SafeHandle is held, when the number is certainly
/// still this socket's. If the owner has closed it already, there is nothing to delete: the kernel forgot it at the close. It tells of no close, so whoever
/// waits for such a socket would wait for ever: once a second a timer looks for closed handles, and ends those waits.
/// </para>
/// <para>
/// Where the pool is behind with what waits have ended for, the thread would interrupt a working thread for each event, only to have the event queue
/// up. So it leaves the looking to the pool then: a work item looks for events, passes them on and queues up again behind them, until there are none and
/// the thread takes over. Where the pool has nothing else to do, the item may stay for the next one (<see cref="BriefWait"/>): the thread would have to be
/// woken, and would then have to wake one of the pool. The thread takes over, too, when the item has to wait for long.
/// </para>
/// </remarks>
internal sealed unsafe class ReadinessThread : IThreadPoolWorkItem
{
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC
    private const int Add = 1; // EPOLL_CTL_ADD
    private const int Delete = 2; // EPOLL_CTL_DEL
    private const int Modify = 3; // EPOLL_CTL_MOD
    private const int BatchSize = 512;

    // Where the pool has not come to look for so long, the thread looks itself; an event may then be unknown for twice as long.
    private const int MillisecondsToStandStill = 10;

    // How often closed handles are looked for.
    private const int MillisecondsToSweep = 1000;

    // The least that epoll_wait(2) can wait.
    private const int MillisecondsToStay = 1;

    private static readonly Lock Starting = new();
    private static ReadinessThread? _sharedThread;
    private static Timer? _sweeping;

    private readonly int _epoll;

    // For whoever looks for events.
    private readonly EpollEvent* _batch = (EpollEvent*)NativeMemory.Alloc((nuint)(BatchSize * EpollEvent.Size));
    private readonly object _handOver = new();
    private readonly Lock _table = new();
    private readonly Stack<int> _freeSlots = new();
    private SocketReadiness?[] _slots = new SocketReadiness?[64];
    private int _usedSlots;
    private uint _registrations;
    private Looker _looker;
    private bool _isItemQueued;
    private uint _looks;

    private uint _paidStays;

    // The item's.
    private BriefWait _stay;

    private ReadinessThread(int epoll) => _epoll = epoll;

    // Who looks for events: the thread, or a work item of the pool, which may still have to wait for its turn.
    private enum Looker
    {
        Thread,
        QueuedItem,
        Item,
    }

    /// <summary>The thread, started by the first use.</summary>
    /// <exception cref="KernelTlsException">The process has no descriptor left for it.</exception>
    public static ReadinessThread Shared => Volatile.Read(ref _sharedThread) ?? Start();

    /// <summary>The number of sockets that are registered now.</summary>
    public int Count
    {
        get
        {
            lock (_table)
            {
                return _usedSlots - _freeSlots.Count;
            }
        }
    }

    /// <summary>Whether the thread leaves it to the pool to look for events now.</summary>
    public bool IsLeftToPool
    {
        get
        {
            lock (_handOver)
            {
                return _looker != Looker.Thread;
            }
        }
    }

    /// <summary>How often the pool has looked.</summary>
    public uint Looks
    {
        get
        {
            lock (_handOver)
            {
                return _looks;
            }
        }
    }

    /// <summary>How often something happened while the pool stayed for it.</summary>
    public uint PaidStays
    {
        get
        {
            lock (_handOver)
            {
                return _paidStays;
            }
        }
    }

    /// <summary>Registers a socket. The token is set before the first event can arrive.</summary>
    /// <exception cref="KernelTlsException">The kernel refuses (ENOSPC: fs.epoll.max_user_watches).</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public void Register(SafeHandle handle, SocketReadiness readiness, EpollEvents events, ref ulong token)
    {
        ulong mine = TakeSlot(readiness, ref token);
        try
        {
            Control(Add, "epoll_ctl(EPOLL_CTL_ADD)", handle, events, mine);
        }
        catch
        {
            Volatile.Write(ref token, 0);
            FreeSlot(mine);
            throw;
        }
    }

    /// <summary>Changes the events of a registered socket. What is true of it at that moment comes as an event again.</summary>
    /// <exception cref="KernelTlsException">The kernel refuses.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public void Change(SafeHandle handle, EpollEvents events, ulong token) => Control(Modify, "epoll_ctl(EPOLL_CTL_MOD)", handle, events, token);

    /// <summary>Forgets a socket; no event reaches it afterwards, except one that is being passed on at this moment.</summary>
    public void Unregister(SafeHandle handle, ulong token)
    {
        try
        {
            // It can fail only because the registration is gone already.
            EpollEvent ignored = default;
            _ = LibC.epoll_ctl(_epoll, Delete, handle, &ignored);
        }
        catch (ObjectDisposedException)
        {
            // The owner closed the descriptor first, and the kernel dropped the registration with it.
        }

        FreeSlot(token);
    }

    private static ReadinessThread Start()
    {
        lock (Starting)
        {
            if (_sharedThread is null)
            {
                int epoll = LibC.epoll_create1(CloseOnExec);
                if (epoll < 0)
                {
                    throw new KernelTlsException("epoll_create1", LibC.LastError);
                }

                ReadinessThread started = new(epoll);
                Thread thread = new(started.Run) { IsBackground = true, Name = "KTls readiness" };
                thread.UnsafeStart();

                // Not with the context of whoever comes first.
                using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
                _sweeping = new Timer(static thread => ((ReadinessThread)thread!).Sweep(), started, MillisecondsToSweep, MillisecondsToSweep);
                Volatile.Write(ref _sharedThread, started);
            }

            return _sharedThread;
        }
    }

    private void Control(int operation, string call, SafeHandle handle, EpollEvents events, ulong token)
    {
        EpollEvent ev = default;
        ev.Set(events | EpollEvents.EdgeTriggered, token);
        if (LibC.epoll_ctl(_epoll, operation, handle, &ev) != 0)
        {
            throw new KernelTlsException(call, LibC.LastError);
        }
    }

    private ulong TakeSlot(SocketReadiness readiness, ref ulong token)
    {
        lock (_table)
        {
            if (!_freeSlots.TryPop(out int slot))
            {
                slot = _usedSlots++;
                if (slot == _slots.Length)
                {
                    // The thread may read the old array a moment longer: what it looks for there was in it before.
                    SocketReadiness?[] larger = new SocketReadiness?[_slots.Length * 2];
                    _slots.CopyTo(larger, 0);
                    Volatile.Write(ref _slots, larger);
                }
            }

            // Numbers start at 1, so that no token is 0, and come again after 2^32 registrations: an event of a descriptor
            // that was closed so long ago would have to meet the very same slot.
            _registrations = _registrations == uint.MaxValue ? 1 : _registrations + 1;
            ulong mine = ((ulong)_registrations << 32) | (uint)slot;
            Volatile.Write(ref token, mine);
            Volatile.Write(ref _slots[slot], readiness);
            return mine;
        }
    }

    private void FreeSlot(ulong token)
    {
        lock (_table)
        {
            int slot = (int)(uint)token;
            Volatile.Write(ref _slots[slot], null);
            _freeSlots.Push(slot);
        }
    }

    private void Run()
    {
        while (true)
        {
            int count = WaitForEvents(milliseconds: -1);

            // Not counting what comes now, which no thread can have begun. After a full batch there is more to come at once.
            bool isPoolBehind = ReadinessWaiter.Queued > Environment.ProcessorCount;
            PassOn(count);
            if (isPoolBehind && count < BatchSize)
            {
                LeaveToPool();
            }
        }
    }

    private void LeaveToPool()
    {
        lock (_handOver)
        {
            uint seen = _looks;
            _looker = Looker.QueuedItem;
            QueueItem();
            while (_looker != Looker.Thread)
            {
                _ = Monitor.Wait(_handOver, MillisecondsToStandStill);
                if (_looker == Looker.QueuedItem && _looks == seen)
                {
                    // The pool is not only behind, it stands still: what has happened must at least be known, before a time limit is up.
                    _looker = Looker.Thread;
                }

                seen = _looks;
            }
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (_handOver)
        {
            _isItemQueued = false;
            if (_looker != Looker.QueuedItem)
            {
                return;
            }

            _looker = Looker.Item;
            _looks++;
        }

        int count = WaitForEvents(milliseconds: 0);
        bool stays = count == 0 && _stay.TryBegin(WaitingSeat.ForEvents);
        if (stays)
        {
            count = WaitForEvents(MillisecondsToStay);
            _stay.End(WaitingSeat.ForEvents, cameTrue: count != 0);
        }

        PassOn(count);
        lock (_handOver)
        {
            _paidStays += stays && count != 0 ? 1u : 0;
            if (count != 0)
            {
                _looker = Looker.QueuedItem;
                QueueItem();
            }
            else
            {
                _looker = Looker.Thread;
                Monitor.Pulse(_handOver);
            }
        }
    }

    // One that the thread did not wait for may be in the queue still.
    private void QueueItem()
    {
        if (!_isItemQueued)
        {
            _isItemQueued = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private int WaitForEvents(int milliseconds)
    {
        int count;
        while ((count = LibC.epoll_wait(_epoll, _batch, BatchSize, milliseconds)) < 0)
        {
            int errno = LibC.LastError;
            if (errno != ErrorNumber.EINTR)
            {
                // The descriptor is ours alone and never closed: something in the process closed a number that it
                // did not own. To go on would leave every wait hanging without a trace.
                Environment.FailFast($"KTls: epoll_wait failed with {ErrorNumber.NameOf(errno)}; its descriptor was closed by foreign code.");
            }
        }

        return count;
    }

    private void Sweep()
    {
        foreach (SocketReadiness? readiness in Volatile.Read(ref _slots))
        {
            readiness?.CloseAfterOwner();
        }
    }

    private void PassOn(int count)
    {
        for (int i = 0; i < count; i++)
        {
            EpollEvent.Read((byte*)_batch + (i * EpollEvent.Size), out EpollEvents events, out ulong token);
            int slot = (int)(uint)token;
            SocketReadiness? readiness = Volatile.Read(ref Volatile.Read(ref _slots)[slot]);
            if (readiness is not null && readiness.Token == token)
            {
                readiness.Signal(events);
            }
        }
    }
}
