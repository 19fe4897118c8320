namespace KTls.Kernel;

/// <summary>
/// The one place for a thread that waits inside a system call (<see cref="BriefWait"/>), and what was learnt on it.
/// </summary>
/// <param name="mayStay">Whether the calling thread has nothing else to do.</param>
internal sealed class WaitingSeat(Func<bool> mayStay)
{
    private int _taken;
    private int _pause;

    /// <summary>The seat of the process, for threads of a pool that has nothing else to do.</summary>
    public static WaitingSeat OfProcess { get; } =
        new(() => Thread.CurrentThread.IsThreadPoolThread && ThreadPool.PendingWorkItemCount == 0);

    /// <summary>The pause that the last wait has ended with, which new sockets begin with.</summary>
    public int LastPause => Volatile.Read(ref _pause);

    /// <summary>Takes the seat, if it is free and the thread may stay. What costs least is asked first.</summary>
    public bool TryTake() => Volatile.Read(ref _taken) == 0 && mayStay() && Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

    /// <summary>Leaves the seat.</summary>
    /// <param name="pause">What the next socket begins with.</param>
    public void Leave(int pause)
    {
        Volatile.Write(ref _pause, pause);
        Volatile.Write(ref _taken, 0);
    }
}
