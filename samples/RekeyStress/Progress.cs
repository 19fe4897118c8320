using System.Diagnostics;
using System.Globalization;

namespace RekeyStress;

/// <summary>
/// One line about what goes on: written over and over on a terminal, and where there is none, now and then a line more. Also watches
/// that anything goes on at all.
/// </summary>
internal sealed class Progress(Run run, TextWriter error, bool isTerminal)
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(10);

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Queue<(TimeSpan Time, long Updates)> _lastSeconds = new();
    private TimeSpan _lastSign;
    private long _signs = -1;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Waits for the end.</summary>
    /// <returns>False: something hangs.</returns>
    public async Task<bool> WatchAsync(Task end)
    {
        TimeSpan interval = isTerminal ? OnTerminal : Elsewhere;
        TimeSpan next = interval;
        while (await Task.WhenAny(end, Task.Delay(OnTerminal)) != end)
        {
            if (Elapsed >= next)
            {
                next = Elapsed + interval;
                await WriteLineAsync();
            }

            if (HangsFor() > run.Settings.Patience)
            {
                return false;
            }
        }

        if (isTerminal)
        {
            await WriteLineAsync();
            await error.WriteLineAsync();
        }

        await end;
        return true;
    }

    private TimeSpan HangsFor()
    {
        if (run.Totals.Signs != _signs)
        {
            _signs = run.Totals.Signs;
            _lastSign = Elapsed;
        }

        return Elapsed - _lastSign;
    }

    private async Task WriteLineAsync()
    {
        Totals totals = run.Totals;
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{Elapsed.TotalSeconds,6:F0} s  {run.Updates:N0} of {run.Settings.Updates:N0} KeyUpdates ({PerSecond():N0}/s)  {totals.BytesChecked / 1e6:N0} MB checked  {totals.LivesClosed} connections closed, {totals.LivesCut} cut off  {run.Findings.Count} wrong");
        await (isTerminal ? error.WriteAsync($"\r{line}   ") : error.WriteLineAsync(line));
        await error.FlushAsync();
    }

    private double PerSecond()
    {
        (TimeSpan Time, long Updates) now = (Elapsed, run.Updates);
        (TimeSpan Time, long Updates) then = _lastSeconds.Count == 0 ? default : _lastSeconds.Peek();
        _lastSeconds.Enqueue(now);
        if (_lastSeconds.Count > 20)
        {
            _lastSeconds.Dequeue();
        }

        return (now.Updates - then.Updates) / (now.Time - then.Time).TotalSeconds;
    }
}
