namespace KTls.Authentication;

/// <summary>How long one handshake goes on: until its caller cancels it, or time is up.</summary>
internal sealed class HandshakeTime : IDisposable
{
    private readonly CancellationToken _end;
    private Deadlines.Deadline? _deadline;

    // Of this handshake alone, and gone with it.
    private CancellationTokenSource? _own;
    private CancellationTokenRegistration _registration;

    /// <param name="deadlines">The ends of handshakes with these options.</param>
    /// <param name="time">How long it may take, from 1 ms, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="caller">What the caller cancels.</param>
    public HandshakeTime(Deadlines deadlines, TimeSpan time, CancellationToken caller)
    {
        _deadline = time == Timeout.InfiniteTimeSpan ? null : deadlines.Join(time);
        _end = _deadline?.Token ?? CancellationToken.None;
        Token = caller.CanBeCanceled ? Own(caller) : _end;
    }

    /// <summary>Cancelled by the caller or when time is up. For our own waits: others' handshakes may have the same, and it may be cancelled after this one is over.</summary>
    public CancellationToken Token { get; }

    /// <summary>The same for the user's code, which may keep it: never cancelled by time once the handshake is over.</summary>
    public CancellationToken TokenToKeep => _own?.Token ?? (_end.CanBeCanceled ? Own(CancellationToken.None) : CancellationToken.None);

    /// <summary>Whether time is up.</summary>
    public bool IsUp => _end.IsCancellationRequested;

    public void Dispose()
    {
        _registration.Dispose();
        _own?.Dispose();
        _deadline?.Dispose();
        _deadline = null;
    }

    // The user's code may hang on it, and all that goes on after that: the deadline's other handshakes do not wait for it.
    private CancellationToken Own(CancellationToken caller)
    {
        _own = CancellationTokenSource.CreateLinkedTokenSource(caller);
        _registration = _end.UnsafeRegister(static own => _ = ((CancellationTokenSource)own!).CancelAsync(), _own);
        return _own.Token;
    }
}
