using System.Globalization;
using KTls;

namespace RekeyStress;

/// <summary>What the kernel should have counted, and what it has.</summary>
internal sealed class KernelUse
{
    private long _sending;
    private long _receiving;
    private long _updatesSent;
    private long _updatesReceived;
    private long _cut;

    /// <summary>An end is through.</summary>
    /// <param name="updates">Its KeyUpdates.</param>
    /// <param name="cut">
    /// Whether a fault has ended its connection. Then the kernel may have opened a KeyUpdate that nobody came to read, or a KeyUpdate
    /// was read whose keys came too late: one for each direction and end, at most.
    /// </param>
    public void Add(KeyUpdateCount updates, bool cut)
    {
        Interlocked.Add(ref _sending, updates.KernelSends ? 1 : 0);
        Interlocked.Add(ref _receiving, updates.KernelReceives ? 1 : 0);
        Interlocked.Add(ref _updatesSent, updates.SentByKernel);
        Interlocked.Add(ref _updatesReceived, updates.ReceivedByKernel);
        Interlocked.Add(ref _cut, cut ? 1 : 0);
    }

    /// <summary>The kernel's counters, once the kernel has cleaned up after the last connections: a moment later.</summary>
    public static async Task<TlsStatistics?> SettledAsync(TlsStatistics? before)
    {
        TlsStatistics? now = TlsStatistics.Read();
        for (int i = 0; i < 50 && now is not null; i++)
        {
            if (before is null || (now.CurrentTransmitSoftware <= before.CurrentTransmitSoftware && now.CurrentReceiveSoftware <= before.CurrentReceiveSoftware))
            {
                break;
            }

            await Task.Delay(100);
            now = TlsStatistics.Read();
        }

        return now;
    }

    /// <summary>Compares; differences are findings.</summary>
    /// <returns>A line of text for each counter.</returns>
    public IReadOnlyList<string> Compare(TlsStatistics before, TlsStatistics after, Findings findings)
    {
        (string Name, long Ours, long Tolerance)[] counters =
        [
            ("TlsTxSw", _sending, 0),
            ("TlsRxSw", _receiving, _cut),
            ("TlsTxRekeyOk", _updatesSent, _cut),
            ("TlsRxRekeyOk", _updatesReceived, _cut),
            ("TlsRxRekeyReceived", _updatesReceived, _cut),
            ("TlsTxRekeyError", 0, 0),
            ("TlsRxRekeyError", 0, 0),
            ("TlsDecryptError", 0, 0),
        ];
        return
        [
            .. counters.Select(counter => Compare(counter.Name, counter.Ours, counter.Tolerance, before[counter.Name], after[counter.Name], findings)),
            StillOpen("TlsCurrTxSw", before.CurrentTransmitSoftware, after.CurrentTransmitSoftware, findings),
            StillOpen("TlsCurrRxSw", before.CurrentReceiveSoftware, after.CurrentReceiveSoftware, findings),
        ];
    }

    // Another program's connections may have ended meanwhile; ours must not have stayed.
    private static string StillOpen(string name, long? before, long? after, Findings findings)
    {
        long left = Math.Max(0, (after - before) ?? 0);
        if (left > 0)
        {
            findings.Add(name, $"{left} connections that we have closed are still open in the kernel");
        }

        return string.Create(CultureInfo.InvariantCulture, $"  {name,-20} {left,12:N0}   left open");
    }

    private static string Compare(string name, long ours, long tolerance, long? before, long? after, Findings findings)
    {
        if (after - before is not { } counted)
        {
            return $"  {name,-20} {"-",12}   this kernel does not count it";
        }

        string line = string.Create(CultureInfo.InvariantCulture, $"  {name,-20} {counted,12:N0}   ours {ours:N0}");
        long difference = Math.Abs(counted - ours);
        if (difference > tolerance)
        {
            findings.Add(name, $"the kernel has counted {counted}, we {ours}");
            return line + "   WRONG";
        }

        return difference == 0 ? line : line + $"   within the {tolerance} ends that were cut off";
    }
}
