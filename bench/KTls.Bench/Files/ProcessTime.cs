using System.Globalization;

namespace KTls.Bench.Files;

/// <summary>Processor time of other processes.</summary>
internal static class ProcessTime
{
    // USER_HZ, in which /proc tells times, is this on all that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>What a process and its children have used until now, without children that have ended; a hundredth of a second is the finest step.</summary>
    public static TimeSpan Of(int process)
    {
        TimeSpan time = default;
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) && Read(folder) is { } found && (id == process || found.Parent == process))
            {
                time += found.Time;
            }
        }

        return time;
    }

    private static (int Parent, TimeSpan Time)? Read(string folder)
    {
        try
        {
            string text = File.ReadAllText($"{folder}/stat");

            // After the name in brackets come the state and ppid; utime and stime are the fields 14 and 15 of proc(5).
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), TimeSpan.FromSeconds(ticks / TicksPerSecond));
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return null;
        }
    }
}
