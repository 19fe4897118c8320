namespace KTls.Authentication;

/// <summary>How long one handshake goes on: until its caller cancels it, or time is up.</summary>
internal sealed class HandshakeTime : IDisposable
{
    private readonly Deadlines.Deadline? _deadline;

    // Of this handshake alone, and gone with it.
    private CancellationTokenSource? _own;

    /// <param name="deadlines">The ends of handshakes with these options.</param>
    /// <param name="time">How long it may take, from 1 ms, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="caller">What the caller cancels.</param>
    public HandshakeTime(Deadlines deadlines, TimeSpan time, CancellationToken caller)
    {
        _deadline = time == Timeout.InfiniteTimeSpan ? null : deadlines.Join(time);
        CancellationToken end = _deadline?.Token ?? CancellationToken.None;
        if (caller.CanBeCanceled)
        {
            _own = CancellationTokenSource.CreateLinkedTokenSource(caller, end);
            end = _own.Token;
        }

        Token = end;
    }

    /// <summary>Cancelled by the caller or when time is up. For our own waits: others' handshakes may have the same, and it may be cancelled after this one is over.</summary>
    public CancellationToken Token { get; }

    /// <summary>The same for the user's code, which may keep it: never cancelled by time once the handshake is over.</summary>
    public CancellationToken TokenToKeep
    {
        get
        {
            if (_own is null && Token.CanBeCanceled)
            {
                _own = CancellationTokenSource.CreateLinkedTokenSource(Token);
            }

            return _own?.Token ?? CancellationToken.None;
        }
    }

    /// <summary>Whether time is up.</summary>
    public bool IsUp => _deadline?.Token.IsCancellationRequested ?? false;

    public void Dispose()
    {
        _own?.Dispose();
        _deadline?.Dispose();
    }
}
