namespace KTls.DataPlane;

/// <summary>
/// Lets one at a time through, as a semaphore of one does: who comes while somebody is inside waits, and is let in by a release before
/// anybody who comes later. There is a semaphore only once somebody has had to wait, which on most connections nobody ever does.
/// </summary>
internal struct Turn
{
    private const int Free = 0;
    private const int Taken = 1;

    // Whether it is free is for the semaphore to say, from here on for good.
    private const int Semaphore = 2;

    private int _state;
    private SemaphoreSlim? _semaphore;

    /// <summary>Goes in, if nobody is inside.</summary>
    public bool TryEnter() => Interlocked.CompareExchange(ref _state, Taken, Free) switch
    {
        Free => true,
        Semaphore => _semaphore!.Wait(0, CancellationToken.None),
        _ => false,
    };

    /// <summary>Goes in, now or when it is this one's turn.</summary>
    public Task EnterAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        int seen;
        while ((seen = Interlocked.CompareExchange(ref _state, Taken, Free)) == Taken)
        {
            // Whoever is inside now holds the semaphore, too: it begins at none, and his Exit releases it.
            if (Volatile.Read(ref _semaphore) is null)
            {
                Interlocked.CompareExchange(ref _semaphore, new SemaphoreSlim(0, 1), null);
            }

            Interlocked.CompareExchange(ref _state, Semaphore, Taken);
        }

        return seen == Free ? Task.CompletedTask : _semaphore!.WaitAsync(cancellationToken);
    }

    /// <summary>Lets the next one in.</summary>
    public void Exit()
    {
        if (Interlocked.CompareExchange(ref _state, Free, Taken) == Semaphore)
        {
            _semaphore!.Release();
        }
    }
}
