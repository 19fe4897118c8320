using System.Diagnostics;
using System.Runtime;

namespace KTls.Bench;

/// <summary>
/// What this process used: processor time of all its threads (getrusage), of it about the JIT compiler's, time by the clock,
/// managed memory.
/// </summary>
internal readonly record struct Usage(TimeSpan User, TimeSpan Kernel, TimeSpan Jit, TimeSpan Wall, long AllocatedBytes)
{
    public TimeSpan Cpu => User + Kernel;

    /// <summary>What was used until now, to be subtracted from a later one.</summary>
    public static Usage Now()
    {
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        Environment.ProcessCpuUsage cpu = Environment.CpuUsage;
        return new Usage(cpu.UserTime, cpu.PrivilegedTime, JitInfo.GetCompilationTime(), TimeSpan.FromSeconds(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency), allocated);
    }

    public static Usage operator -(Usage later, Usage earlier) =>
        new(later.User - earlier.User, later.Kernel - earlier.Kernel, later.Jit - earlier.Jit, later.Wall - earlier.Wall, later.AllocatedBytes - earlier.AllocatedBytes);
}
