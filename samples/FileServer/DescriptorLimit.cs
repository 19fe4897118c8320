using System.Globalization;

namespace FileServer;

/// <summary>
/// How many connections the limit of open files (RLIMIT_NOFILE, "ulimit -n") has room for. A .NET process that runs out of
/// descriptors cannot even load an assembly or start a thread, and may end; so this server accepts no more than fit.
/// </summary>
internal static class DescriptorLimit
{
    // The client's socket and the file that is sent.
    private const int PerConnection = 2;

    // For the runtime and for files that are just being looked at.
    private const int Reserve = 64;

    /// <summary>The number of connections, at least 1.</summary>
    public static int Connections()
    {
        int open = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        return (int)Math.Clamp((Limit() - open - Reserve) / PerConnection, 1, int.MaxValue);
    }

    // "Max open files            1024                 524288               files": the first number counts. The runtime has
    // raised it to the second one, which is the highest possible, when it started.
    private static long Limit()
    {
        const string Name = "Max open files";
        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        string? number = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : long.MaxValue;
    }
}
