namespace KTls.Kernel;

internal sealed partial class KernelSocket
{
    private int _stays;

    // Whether what is waited for came while the thread stayed for it; false, too, where it may not stay. The handle is not held meanwhile:
    // whoever disposes of the .NET Socket around it would take that for an operation to be ended, and reset the connection. But Dispose
    // waits for the end of the call: else the close, and whatever lingers, would fall to this thread.
    private bool StaysUntil(short events, ref BriefWait wait, WaitingSeat seat)
    {
        if (!wait.TryBegin(seat))
        {
            return false;
        }

        bool cameTrue = false;
        try
        {
            Interlocked.Exchange(ref _stays, 1); // a full fence: this sees _disposed, or Dispose sees this
            ObjectDisposedException.ThrowIf(_disposed || _handle.IsClosed, this);
            return cameTrue = Poll(events, BriefWait.Moment);
        }
        finally
        {
            Volatile.Write(ref _stays, 0);
            wait.End(seat, cameTrue);
        }
    }

    // Nobody stays for longer than a moment, and the descriptor may be closed from here on.
    private void WaitWhileSomebodyStays()
    {
        Interlocked.MemoryBarrier();
        for (SpinWait wait = default; Volatile.Read(ref _stays) != 0;)
        {
            wait.SpinOnce();
        }
    }
}
