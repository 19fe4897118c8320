namespace KTls.DataPlane;

/// <summary>
/// Lets one operation at a time through, and says when to clean up: once it is closed and none is inside. So what an operation
/// works with is never freed under it.
/// </summary>
internal struct OperationGate
{
    private const int Free = 0;
    private const int Busy = 1;
    private const int Closing = 2;
    private const int Closed = 3;

    private int _state;

    /// <exception cref="NotSupportedException">Another operation is under way.</exception>
    /// <exception cref="ObjectDisposedException">The gate is closed.</exception>
    public void Enter(string operation)
    {
        switch (Interlocked.CompareExchange(ref _state, Busy, Free))
        {
            case Free:
                return;
            case Busy:
                throw new NotSupportedException($"Another {operation} operation is under way.");
            default:
                throw new ObjectDisposedException(nameof(KTlsStream));
        }
    }

    /// <returns>Whether the caller has to clean up.</returns>
    public bool Exit()
    {
        if (Interlocked.CompareExchange(ref _state, Free, Busy) == Busy)
        {
            return false;
        }

        Volatile.Write(ref _state, Closed);
        return true;
    }

    /// <returns>Whether the caller has to clean up.</returns>
    public bool Close()
    {
        while (true)
        {
            if (Interlocked.CompareExchange(ref _state, Closed, Free) == Free)
            {
                return true;
            }

            // Closing leaves the clean-up to the operation inside.
            if (Interlocked.CompareExchange(ref _state, Closing, Busy) is not Free)
            {
                return false;
            }
        }
    }
}
