namespace KTls.Kernel;

/// <summary>
/// How long a thread that found no room, no data, or no event of any socket, may stay for it, before it leaves the wait to the <see cref="ReadinessThread"/>.
/// </summary>
/// <remarks>
/// Who moves much data finds the buffer full, or empty, again and again, and often the peer has changed that before a wait could go
/// to the readiness thread and back to the pool; so has a peer that answers at once. So one thread of the process at a time may stay,
/// for a moment, if it is the pool's own and the pool has nothing else to do. Where nothing came, as with a peer that is far away or
/// has nothing to say, the socket does not try again for twice as many waits as the last time; where it came, for half as many. A new
/// socket begins with what the last one has learnt.
/// </remarks>
internal struct BriefWait
{
    private const short MaxPause = 1024;

    private short _pause;
    private short _pauseLeft;
    private bool _hasBegun;

    /// <summary>Begins a wait.</summary>
    /// <param name="seat">Where.</param>
    /// <returns>Whether the thread may stay, for <see cref="WaitingSeat.Moments"/>; then <see cref="End"/> has to follow.</returns>
    public bool TryBegin(WaitingSeat seat)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            _pause = _pauseLeft = (short)seat.LastPause;
        }

        if (_pauseLeft != 0)
        {
            _pauseLeft--;
            return false;
        }

        return seat.TryTake();
    }

    /// <summary>Ends a wait that <see cref="TryBegin"/> has allowed.</summary>
    /// <param name="seat">Where.</param>
    /// <param name="cameTrue">Whether what was waited for has come.</param>
    public void End(WaitingSeat seat, bool cameTrue)
    {
        _pause = cameTrue ? (short)(_pause / 2) : Math.Clamp((short)(_pause * 2), (short)1, MaxPause);
        _pauseLeft = _pause;
        seat.Leave(_pause);
    }
}
