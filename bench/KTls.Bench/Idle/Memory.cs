using System.Globalization;

namespace KTls.Bench.Idle;

/// <summary>What this process and the kernel hold, in bytes.</summary>
/// <param name="Managed">Live objects of .NET.</param>
/// <param name="Process">Pages that are this process' alone: .NET's heaps with what is free in them, OpenSSL's memory, stacks.</param>
/// <param name="Kernel">The kernel's own objects (slab), whoever caused them.</param>
internal readonly record struct Memory(long Managed, long Process, long Kernel)
{
    public static Memory Now()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return new Memory(
            GC.GetTotalMemory(forceFullCollection: false),
            Kibibytes("/proc/self/smaps_rollup", "Private_Dirty:") + Kibibytes("/proc/self/smaps_rollup", "Swap:"),
            Kibibytes("/proc/meminfo", "Slab:"));
    }

    public static Memory Parse(string text)
    {
        long[] values = [.. text.Split(' ').Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
        return new Memory(values[0], values[1], values[2]);
    }

    public static Memory operator -(Memory later, Memory earlier) =>
        new(later.Managed - earlier.Managed, later.Process - earlier.Process, later.Kernel - earlier.Kernel);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Managed} {Process} {Kernel}");

    private static long Kibibytes(string file, string name)
    {
        string line = File.ReadLines(file).Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length).Trim().TrimEnd("kB").TrimEnd(), CultureInfo.InvariantCulture) * 1024;
    }
}
