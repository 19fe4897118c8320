namespace RekeyStress;

/// <summary>A count that somebody can wait for.</summary>
internal sealed class GrowingNumber
{
    private readonly Lock _lock = new();
    private long _value;
    private long _wanted;
    private TaskCompletionSource? _waiter;

    public long Value => Interlocked.Read(ref _value);

    public void Add(long more)
    {
        lock (_lock)
        {
            _value += more;
            if (_waiter is not null && _value >= _wanted)
            {
                _waiter.SetResult();
                _waiter = null;
            }
        }
    }

    /// <summary>Completes when the count is at least so much. One may wait at a time.</summary>
    public Task WaitForAsync(long wanted, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_value >= wanted)
            {
                return Task.CompletedTask;
            }

            _wanted = wanted;
            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task.WaitAsync(cancellationToken);
        }
    }
}
