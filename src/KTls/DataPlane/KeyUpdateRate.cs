namespace KTls.DataPlane;

/// <summary>
/// Bounds how often a peer may change its keys: each time costs us a key derivation and a system call, and costs it 27 bytes.
/// A store of permits that time and data refill.
/// </summary>
internal struct KeyUpdateRate
{
    // A peer that changes its keys every 16 full records keeps us busy with the records.
    private const int BytesPerPermit = 256 * 1024;

    private readonly int _perSecond;
    private long _permits;
    private long _bytes;
    private long _refilled;

    /// <summary>Begins with all permits, so that most connections need no look at the clock.</summary>
    /// <param name="perSecond">The permits that each second brings, and the most that are stored.</param>
    public KeyUpdateRate(int perSecond)
    {
        _perSecond = perSecond;
        _permits = perSecond;
    }

    /// <summary>Data has come.</summary>
    public void Add(int bytes) => _bytes += bytes;

    /// <summary>A KeyUpdate has come: whether that is within the bounds.</summary>
    /// <param name="now">The time in milliseconds since any moment, the same in all calls.</param>
    public bool TryTake(long now)
    {
        // A second refills all.
        long byTime = Math.Min(now - _refilled, 1000) * _perSecond / 1000;
        if (byTime > 0)
        {
            _permits += byTime;
            _refilled = now;
        }

        _permits = Math.Min(_permits + (_bytes / BytesPerPermit), _perSecond);
        _bytes %= BytesPerPermit;
        if (_permits == 0)
        {
            return false;
        }

        _permits--;
        return true;
    }
}
