using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// Waits for one socket to become readable or writable. Costs nothing until the first wait, which registers the socket
/// with the <see cref="ReadinessThread"/>; one reader and one writer may wait at the same time.
/// </summary>
internal sealed class SocketReadiness(SafeHandle handle)
{
    private readonly ReadinessWaiter _readable = new();
    private readonly Lock _registration = new();

    // Most sockets never wait for room.
    private ReadinessWaiter? _writable;
    private ReadinessThread? _thread;
    private volatile EpollEvents _events;
    private ulong _token;
    private bool _closed;

    /// <summary>What the kernel returns with this socket's events; 0 while it is not registered.</summary>
    public ulong Token => Volatile.Read(ref _token);

    /// <summary>Completes when a receive is worth another try. To be called only after one returned EAGAIN.</summary>
    /// <inheritdoc cref="ReadinessWaiter.WaitAsync"/>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken)
    {
        EnsureRegistered(EpollEvents.Readable | EpollEvents.PeerClosed);
        return _readable.WaitAsync(cancellationToken);
    }

    /// <summary>Completes when a send is worth another try. To be called only after one returned EAGAIN.</summary>
    /// <inheritdoc cref="ReadinessWaiter.WaitAsync"/>
    public ValueTask WaitWritableAsync(CancellationToken cancellationToken)
    {
        EnsureRegistered(EpollEvents.Writable);
        return _writable!.WaitAsync(cancellationToken);
    }

    /// <summary>Called by the readiness thread with the events of the socket.</summary>
    public void Signal(EpollEvents events)
    {
        // An error or a hang-up concerns both directions: each learns it from its own system call.
        if ((events & (EpollEvents.Readable | EpollEvents.PeerClosed | EpollEvents.Error | EpollEvents.HangUp)) != 0)
        {
            _readable.Signal();
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
        lock (_registration)
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

    // For a direction when it first waits. A socket is nearly always writable: were it registered for both at once, the first
    // wait for data would wake the thread for nothing.
    private void EnsureRegistered(EpollEvents events)
    {
        if ((events & ~_events) != 0)
        {
            Register(events);
        }
    }

    private void Register(EpollEvents events)
    {
        // A reader and a writer may both meet their first EAGAIN at the same time.
        lock (_registration)
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
