using System.Globalization;
using KTls;

namespace RekeyStress;

/// <summary>What a run says at its end.</summary>
internal static class Summary
{
    public static async Task WriteAsync(Run run, TimeSpan elapsed, TlsStatistics? before, TextWriter output)
    {
        Totals totals = run.Totals;
        if (!run.Pattern.IsIntact)
        {
            run.Findings.Add("pattern", "somebody has written into the bytes that all are compared with");
        }

        var lines = new List<string>
        {
            Text($"{elapsed.TotalSeconds:N1} s, {run.Updates / elapsed.TotalSeconds:N0} KeyUpdates a second"),
            Text($"connections    {totals.LivesClosed:N0} closed in order, {totals.LivesCut:N0} cut off on purpose"),
            Text($"KeyUpdates     {totals.UpdatesSent:N0} sent, {totals.UpdatesReceived:N0} received"),
            Text($"data           {totals.BytesSent:N0} bytes sent, {totals.BytesByFile:N0} of them as files; {totals.BytesChecked:N0} received and right"),
        };
        if (before is not null && await KernelUse.SettledAsync(before) is { } after)
        {
            lines.Add("kernel's counters");
            lines.AddRange(run.KernelUse.Compare(before, after, run.Findings));
        }

        foreach (string finding in run.Findings.Shown)
        {
            lines.Add("WRONG: " + finding);
        }

        if (run.IsStopping && run.Updates < run.Settings.Updates)
        {
            lines.Add("stopped before all KeyUpdates were sent: time was up, or somebody said so");
        }

        lines.Add(run.Findings.Count == 0 ? "nothing was wrong" : Text($"{run.Findings.Count} things were wrong; the first ones are above"));
        foreach (string line in lines)
        {
            await output.WriteLineAsync(line);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
