namespace KTls.Kernel.Tests.Support;

/// <summary>Keeps the threads of the pool busy, so that what is queued does not begin: for some seconds, as the pool starts a new one every half second.</summary>
internal sealed class BusyPool : IDisposable
{
    private readonly ManualResetEventSlim _end = new();
    private int _blockers = ThreadPool.ThreadCount + Environment.ProcessorCount + 200;

    private BusyPool()
    {
        for (int i = _blockers; i > 0; i--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => Block(), null);
        }
    }

    public static BusyPool Begin() => new();

    public void Dispose()
    {
        _end.Set();
        SpinWait.SpinUntil(() => Volatile.Read(ref _blockers) == 0);
        _end.Dispose();
    }

    private void Block()
    {
        _end.Wait();
        Interlocked.Decrement(ref _blockers);
    }
}
