using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace KTls.Kernel.Tests.Support;

/// <summary>An asynchronous operation of the same shape as KernelSocket's, with nothing in it.</summary>
internal static class BareAwait
{
    private const int Rounds = 2000;

    /// <summary>How many bytes one of them allocates: none if the JIT optimises.</summary>
    public static async Task<long> CostAsync()
    {
        Hop hop = new();
        await RunAsync(hop);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await RunAsync(hop);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        return allocated < Rounds * 8 ? 0 : 1 + (allocated / Rounds);
    }

    private static async Task RunAsync(Hop hop)
    {
        for (int i = 0; i < Rounds; i++)
        {
            await OperationAsync(hop);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<ReceivedRecord> OperationAsync(Hop hop)
    {
        await hop.WaitAsync().ConfigureAwait(false);
        return default;
    }

    // Completes at once, on another pool thread.
    private sealed class Hop : IValueTaskSource, IThreadPoolWorkItem
    {
        private ManualResetValueTaskSourceCore<bool> _core;

        public ValueTask WaitAsync()
        {
            _core.Reset();
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return new ValueTask(this, _core.Version);
        }

        public void Execute() => _core.SetResult(true);

        public void GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
