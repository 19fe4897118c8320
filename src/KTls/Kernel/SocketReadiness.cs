using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// Waits for one socket to become readable or writable. Costs nothing until the first wait, which registers the socket
/// with the <see cref="ReadinessThread"/>; one reader and one writer may wait at the same time.
/// </summary>
internal sealed class SocketReadiness(SafeHandle handle)
{
    private const EpollEvents ForReading = EpollEvents.Readable | EpollEvents.PeerClosed;

    private readonly ReadinessWaiter _readable = new();

    // Most sockets never wait for room.
    private ReadinessWaiter? _writable;
    private ReadinessThread? _thread;
    private volatile EpollEvents _events;
    private volatile bool _hasEnded;
    private ulong _token;
    private bool _closed;

    // Who registers, changes or ends the registration holds the lock on this object: nobody else knows it, and a Lock would be one more
    // object for each connection.

    /// <summary>What the kernel returns with this socket's events; 0 while it is not registered.</summary>
    public ulong Token => Volatile.Read(ref _token);

    /// <summary>Whether the next wait for data begins with a look at what is there, so that no receive has to come before it.</summary>
    public bool LooksFirst => (_events & ForReading) == 0;

    /// <summary>
    /// Whether an event has told of an end, which may have come with the last data, in one event: after that data there is none any more. While false, a receive
    /// that took less than it had room for is as good as one that returned EAGAIN.
    /// </summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Completes when a receive is worth another try. To be called only after one returned EAGAIN or was as good, or if <see cref="LooksFirst"/>.</summary>
    /// <inheritdoc cref="ReadinessWaiter.WaitAsync"/>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken)
    {
        EnsureRegistered(ForReading);
        ValueTask wait = _readable.WaitAsync(cancellationToken);
        EnsureWatched(ForReading, _readable);
        return wait;
    }

    /// <summary>Completes when a send is worth another try. To be called only after one returned EAGAIN.</summary>
    /// <inheritdoc cref="ReadinessWaiter.WaitAsync"/>
    public ValueTask WaitWritableAsync(CancellationToken cancellationToken)
    {
        EnsureRegistered(EpollEvents.Writable);
        ReadinessWaiter writable = _writable!;
        ValueTask wait = writable.WaitAsync(cancellationToken);
        EnsureWatched(EpollEvents.Writable, writable);
        return wait;
    }

    /// <summary>Called by <see cref="ReadinessThread"/> with the events of the socket.</summary>
    public void Signal(EpollEvents events)
    {
        // Before anybody is woken for it.
        if ((events & (EpollEvents.PeerClosed | EpollEvents.Error | EpollEvents.HangUp)) != 0)
        {
            _hasEnded = true;
        }

        // An error or a hang-up concerns both directions: each learns it from its own system call.
        if ((events & (ForReading | EpollEvents.Error | EpollEvents.HangUp)) != 0 && !_readable.Signal())
        {
            Quiet();
        }

        if ((events & (EpollEvents.Writable | EpollEvents.Error | EpollEvents.HangUp)) != 0)
        {
            Volatile.Read(ref _writable)?.Signal();
        }
    }

    /// <summary>
    /// Ends both waits and forgets the socket. Should run before its descriptor is closed: a close ends no wait, and if a
    /// duplicate of the descriptor lives on, so does a registration that nobody can delete any more.
    /// </summary>
    public void Close()
    {
        lock (this)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            _thread?.Unregister(handle, Token);
        }

        _readable.Close();
        _writable?.Close();
    }

    /// <summary>Called by <see cref="ReadinessThread"/> now and then: ends both waits if the descriptor was closed by somebody who does not know of them.</summary>
    public void CloseAfterOwner()
    {
        if (handle.IsClosed)
        {
            Close();
        }
    }

    // For a direction when it first waits. A socket is nearly always writable: were it registered for both at once, the first
    // wait for data would wake the thread for nothing.
    private void EnsureRegistered(EpollEvents events)
    {
        if ((events & ~_events) != 0)
        {
            Register(events);
        }
    }

    // A stream of data wakes the thread once for each packet while the reader is busy with what came before. When the second comes that
    // nobody waited for, the socket falls silent until the next wait, which reports at once what has come by then. So it does for room,
    // of which there nearly always is some: epoll would tell of that at each change.
    private void Quiet()
    {
        // The thread waits for nobody who is in a system call. The next event tries again.
        if (!Monitor.TryEnter(this))
        {
            return;
        }

        try
        {
            if (_closed || (_events & ForReading) == 0)
            {
                return;
            }

            EpollEvents idle = _writable is { IsWaiting: false } ? ForReading | EpollEvents.Writable : ForReading;
            _events &= ~idle;
            _thread!.Change(handle, _events, Token);
            Interlocked.MemoryBarrier(); // a wait sets its state first and looks at the events then, so one of the two sees the other
            EpollEvents waited = (_readable.IsWaiting ? ForReading : 0) | (_writable is { IsWaiting: true } ? EpollEvents.Writable : 0);
            if ((waited & idle) != 0)
            {
                EpollEvents all = _events | waited;
                _thread.Change(handle, all, Token);
                _events = all;
            }
        }
        catch (Exception e) when (e is KernelTlsException or ObjectDisposedException)
        {
            // The owner closed the descriptor first: whoever waits learns it from the next call.
            _readable.Signal();
            _writable?.Signal();
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    // Only after a wait has begun does Quiet see it. If Quiet came before, its change is undone here; if not, by itself.
    private void EnsureWatched(EpollEvents events, ReadinessWaiter waiter)
    {
        if ((_events & events) != 0)
        {
            return;
        }

        try
        {
            Register(events);
        }
        catch (Exception e) when (e is KernelTlsException or ObjectDisposedException)
        {
            waiter.Signal();
        }
    }

    private void Register(EpollEvents events)
    {
        // A reader and a writer may both meet their first EAGAIN at the same time.
        lock (this)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(KernelSocket));
            if ((events & EpollEvents.Writable) != 0)
            {
                // Before the first event for it.
                _writable ??= new ReadinessWaiter();
            }

            EpollEvents all = _events | events;
            if (_thread is null)
            {
                ReadinessThread thread = ReadinessThread.Shared;
                thread.Register(handle, this, all, ref _token);
                _thread = thread;
            }
            else
            {
                _thread.Change(handle, all, Token);
            }

            _events = all;
        }
    }
}
