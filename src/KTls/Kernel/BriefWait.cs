namespace KTls.Kernel;

/// <summary>
/// How long a thread that found no room may stay for it, before it leaves the wait to the <see cref="ReadinessThread"/>.
/// </summary>
/// <remarks>
/// A sender of much data finds the buffer full again and again, and often the peer has made room before a wait could go to the
/// readiness thread and back to the pool. So one thread of the process at a time may stay, for a moment, if it is the pool's
/// own and the pool has nothing else to do. Where the room did not come, as with a peer far away, the socket does not try again
/// for twice as many waits as the last time; and a new socket begins with what the last one has learnt.
/// </remarks>
internal struct BriefWait(WaitingSeat seat)
{
    /// <summary>The least that poll(2) can wait, in milliseconds.</summary>
    public const int Moment = 1;

    private const int MaxPause = 1024;

    private bool _hasBegun;
    private int _pause;
    private int _pauseLeft;

    /// <summary>Begins a wait.</summary>
    /// <returns><see cref="Moment"/>, and then <see cref="End"/> has to follow; or 0: the thread may not stay.</returns>
    public int Begin()
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            _pause = _pauseLeft = seat.LastPause;
        }

        if (_pauseLeft != 0)
        {
            _pauseLeft--;
            return 0;
        }

        return seat.TryTake() ? Moment : 0;
    }

    /// <summary>Ends a wait that <see cref="Begin"/> has allowed.</summary>
    /// <param name="cameTrue">Whether there was room in the end.</param>
    public void End(bool cameTrue)
    {
        _pause = cameTrue ? 0 : Math.Clamp(_pause * 2, 1, MaxPause);
        _pauseLeft = _pause;
        seat.Leave(_pause);
    }
}
