using System.Threading.Tasks.Sources;

namespace KTls.Kernel;

/// <summary>
/// One direction's wait for the socket to become ready: a signal that arrives early is kept, a wait allocates nothing,
/// and whoever waited continues on the thread pool. At most one wait at a time.
/// </summary>
/// <remarks>
/// The caller tries its system call first and waits only after EAGAIN, then tries again. So a signal may be spurious, but
/// none may be lost between the EAGAIN and the wait. All of it hangs on one word, changed by compare-and-swap only:
/// <code>
///   Idle      --Signal-->  Signalled      the event came before the wait; the next wait takes it and does not wait
///   Idle      --Wait---->  Waiting
///   Signalled --Wait---->  Idle
///   Waiting   --Signal, Cancel-->  Idle   whoever makes this step, and nobody else, completes the wait
///   any       --Close--->  Closed
/// </code>
/// A signal after the step out of Waiting sets Signalled again: a cancelled wait never swallows a later event.
/// </remarks>
internal sealed class ReadinessWaiter : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;
    private const int Closed = 3;

    private static int _queued;

    // Continuations run inside Execute, that is on a pool thread already; to queue them once more would be a wasted hop.
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;
    private Outcome _outcome;
    private int _state;

    private enum Outcome
    {
        Ready,
        Cancelled,
        Closed,
    }

    /// <summary>How many waits of the process are over that the pool has not begun to continue.</summary>
    public static int Queued => Volatile.Read(ref _queued);

    /// <summary>Completes when the socket may have become ready since the last wait.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed, now or while waiting.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; in the returned task.</exception>
    /// <exception cref="InvalidOperationException">Another wait of this direction is under way.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (Interlocked.CompareExchange(ref _state, Idle, Signalled) == Signalled)
        {
            return default;
        }

        if (Volatile.Read(ref _state) == Waiting)
        {
            throw new InvalidOperationException("Another operation of the same direction is waiting on this socket.");
        }

        // The source must be ready to complete before anybody can see Waiting.
        _core.Reset();
        _token = cancellationToken;

        switch (Interlocked.CompareExchange(ref _state, Waiting, Idle))
        {
            case Idle:
                break;
            case Signalled:
                // Only a wait leaves Signalled, and this is the only one; so this cannot be overtaken, except by Close.
                Interlocked.CompareExchange(ref _state, Idle, Signalled);
                return default;
            default:
                throw new ObjectDisposedException(nameof(KernelSocket));
        }

        ValueTask wait = new(this, _core.Version);
        if (cancellationToken.CanBeCanceled)
        {
            // GetResult disposes of the registration. It cannot run before this assignment: its caller does not have
            // the task yet, even if the wait has completed already.
            _registration = cancellationToken.UnsafeRegister(static waiter => ((ReadinessWaiter)waiter!).Cancel(), this);
        }

        return wait;
    }

    /// <summary>Whether somebody waits now.</summary>
    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    /// <summary>Tells that the socket may be ready. Never runs the waiter's code on the calling thread.</summary>
    /// <returns>Whether it told anything new; false: nobody has waited since the last signal.</returns>
    public bool Signal()
    {
        int seen = Volatile.Read(ref _state);
        while (true)
        {
            int next = seen switch
            {
                Idle => Signalled,
                Waiting => Idle,
                _ => seen,
            };
            if (next == seen)
            {
                return false;
            }

            int actual = Interlocked.CompareExchange(ref _state, next, seen);
            if (actual == seen)
            {
                break;
            }

            seen = actual;
        }

        if (seen == Waiting)
        {
            Complete(Outcome.Ready);
        }

        return true;
    }

    /// <summary>Ends the wait, and every later one, with <see cref="ObjectDisposedException"/>.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _state, Closed) == Waiting)
        {
            Complete(Outcome.Closed);
        }
    }

    private void Cancel()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting)
        {
            Complete(Outcome.Cancelled);
        }
    }

    private void Complete(Outcome outcome)
    {
        _outcome = outcome;
        Interlocked.Increment(ref _queued);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Interlocked.Decrement(ref _queued);
        switch (_outcome)
        {
            case Outcome.Ready:
                _core.SetResult(true);
                break;
            case Outcome.Cancelled:
                _core.SetException(new OperationCanceledException(_token));
                break;
            default:
                _core.SetException(new ObjectDisposedException(nameof(KernelSocket)));
                break;
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Dispose waits for a Cancel that runs at this moment on another thread, so that it cannot hit the next wait.
        _registration.Dispose();
        _registration = default;
        _token = default;
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
