namespace KTls.Kernel;

internal sealed partial class KernelSocket
{
    // The least that poll(2) can wait, in milliseconds.
    private const int Moment = 1;

    // How many threads are in Stay now: a reader and a writer, at most.
    private int _stays;

    // Whether what is waited for came while the thread stayed for it; false, too, where it may not stay.
    private bool StaysUntil(short events, ref BriefWait wait, WaitingSeat seat)
    {
        if (!wait.TryBegin(seat))
        {
            return false;
        }

        bool cameTrue = false;
        try
        {
            // In pieces, between which the pool may get something to do: a machine with one processor has one thread for it.
            for (int left = seat.Moments; !cameTrue && left > 0 && (left == seat.Moments || seat.MayStay); left--)
            {
                cameTrue = Stay(events, Moment);
            }

            return cameTrue;
        }
        finally
        {
            wait.End(seat, cameTrue);
        }
    }

    // Waits in poll(2), for a short time. The handle is not held meanwhile: whoever disposes of the .NET Socket around it would take that for an
    // operation to be ended, and reset the connection. But Dispose waits for the end of the call: else the close, and whatever lingers, would
    // fall to this thread.
    private bool Stay(short events, int milliseconds)
    {
        try
        {
            Interlocked.Increment(ref _stays); // a full fence: this sees _disposed, or Dispose sees this
            ObjectDisposedException.ThrowIf(_disposed || _handle.IsClosed, this);
            return Poll(events, milliseconds);
        }
        finally
        {
            Interlocked.Decrement(ref _stays);
        }
    }

    // Nobody stays for long, and the descriptor may be closed from here on.
    private void WaitWhileSomebodyStays()
    {
        Interlocked.MemoryBarrier();
        for (SpinWait wait = default; Volatile.Read(ref _stays) != 0;)
        {
            wait.SpinOnce();
        }
    }
}
