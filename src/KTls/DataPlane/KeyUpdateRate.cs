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

    /// <param name="perSecond">The permits that each second brings, and the most that are stored.</param>
    /// <param name="now">The time in milliseconds, as in the other calls.</param>
    public KeyUpdateRate(int perSecond, long now)
    {
        _perSecond = perSecond;
        _permits = perSecond;
        _refilled = now;
    }

    /// <summary>Data has come.</summary>
    public void Add(int bytes) => _bytes += bytes;

    /// <summary>A KeyUpdate has come: whether that is within the bounds.</summary>
    public bool TryTake(long now)
    {
        long byTime = (now - _refilled) * _perSecond / 1000;
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
