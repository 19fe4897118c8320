using System.Runtime.CompilerServices;

namespace KTls.Kernel;

/// <summary>
/// The one place for a thread that waits inside a system call (<see cref="BriefWait"/>), and what was learnt there by waits of one kind.
/// </summary>
/// <param name="moments">How long a thread may stay, in milliseconds, at each of which it asks again.</param>
/// <param name="mayStay">Whether the calling thread has nothing else to do.</param>
/// <param name="taken">Not 0 while a thread is there; seats that share it are one place.</param>
internal sealed class WaitingSeat(int moments, Func<bool> mayStay, StrongBox<int> taken)
{
    private static readonly StrongBox<int> TakenInProcess = new();

    private int _pause;

    /// <summary>For senders. TCP tells of room when a third of its buffer is free, and to open and to read so many megabytes takes longer than one millisecond.</summary>
    public static WaitingSeat ForRoom { get; } = new(moments: 3, IsPoolIdle, TakenInProcess);

    /// <summary>For receivers.</summary>
    public static WaitingSeat ForData { get; } = new(moments: 1, IsPoolIdle, TakenInProcess);

    /// <summary>For the work item that looks for events of all sockets (<see cref="ReadinessThread"/>).</summary>
    public static WaitingSeat ForEvents { get; } = new(moments: 1, IsPoolIdle, TakenInProcess);

    /// <summary>How long a thread may stay, in milliseconds, as long as <see cref="MayStay"/>.</summary>
    public int Moments => moments;

    /// <summary>Whether the calling thread has nothing else to do.</summary>
    public bool MayStay => mayStay();

    /// <summary>The pause that the last wait has ended with, which new sockets begin with.</summary>
    public int LastPause => Volatile.Read(ref _pause);

    /// <summary>Takes the seat, if it is free and the thread may stay. What costs least is asked first.</summary>
    public bool TryTake() => Volatile.Read(ref taken.Value) == 0 && mayStay() && Interlocked.CompareExchange(ref taken.Value, 1, 0) == 0;

    /// <summary>Leaves the seat.</summary>
    /// <param name="pause">What the next socket begins with.</param>
    public void Leave(int pause)
    {
        Volatile.Write(ref _pause, pause);
        Volatile.Write(ref taken.Value, 0);
    }

    // A thread of the pool's own, and the pool has nothing else to do.
    private static bool IsPoolIdle() => Thread.CurrentThread.IsThreadPoolThread && ThreadPool.PendingWorkItemCount == 0;
}
