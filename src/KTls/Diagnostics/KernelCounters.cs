using System.Diagnostics.Metrics;

namespace KTls.Diagnostics;

/// <summary>The kernel's own counters (<see cref="TlsStatistics"/>) as instruments, read when somebody asks.</summary>
internal static class KernelCounters
{
    public static void AddTo(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "ktls.kernel.active_connections",
            () => Read(
                (s => s.CurrentTransmitSoftware, "transmit", "ktls.offload", "software"),
                (s => s.CurrentTransmitDevice, "transmit", "ktls.offload", "device"),
                (s => s.CurrentReceiveSoftware, "receive", "ktls.offload", "software"),
                (s => s.CurrentReceiveDevice, "receive", "ktls.offload", "device")),
            "{connection}",
            "Connections in this network namespace that the kernel seals or opens now.");
        meter.CreateObservableCounter(
            "ktls.kernel.connections",
            () => Read(
                (s => s.TransmitSoftware, "transmit", "ktls.offload", "software"),
                (s => s.TransmitDevice, "transmit", "ktls.offload", "device"),
                (s => s.ReceiveSoftware, "receive", "ktls.offload", "software"),
                (s => s.ReceiveDevice, "receive", "ktls.offload", "device")),
            "{connection}",
            "Connections in this network namespace that the kernel has sealed or opened since boot.");
        meter.CreateObservableCounter(
            "ktls.kernel.rekeys",
            () => Read(
                (s => s.TransmitRekeys, "transmit", "ktls.result", "ok"),
                (s => s.TransmitRekeyErrors, "transmit", "ktls.result", "error"),
                (s => s.ReceiveRekeys, "receive", "ktls.result", "ok"),
                (s => s.ReceiveRekeyErrors, "receive", "ktls.result", "error")),
            "{rekey}",
            "Changes of keys in the kernel since boot.");
        meter.CreateObservableCounter(
            "ktls.kernel.decrypt_errors", () => Read(s => s.DecryptErrors), "{record}", "Records since boot that failed authentication.");
        meter.CreateObservableCounter(
            "ktls.kernel.decrypt_retries", () => Read(s => s.DecryptRetries), "{record}", "Records since boot that the kernel decrypted twice, because of padding or a control record.");
        meter.CreateObservableCounter(
            "ktls.kernel.key_updates_received", () => Read(s => s.KeyUpdatesReceived), "{key_update}", "KeyUpdate messages since boot that the kernel stopped at.");
    }

    private static List<Measurement<long>> Read(params (Func<TlsStatistics, long?> Counter, string Direction, string Attribute, string Value)[] counters)
    {
        TlsStatistics? statistics = TryRead();
        var measurements = new List<Measurement<long>>();
        foreach ((Func<TlsStatistics, long?> counter, string direction, string attribute, string value) in counters)
        {
            // A counter that this kernel does not have is not zero.
            if (statistics is not null && counter(statistics) is { } number)
            {
                measurements.Add(new Measurement<long>(number, new("network.io.direction", direction), new(attribute, value)));
            }
        }

        return measurements;
    }

    private static Measurement<long>[] Read(Func<TlsStatistics, long?> counter) =>
        TryRead() is { } statistics && counter(statistics) is { } number ? [new Measurement<long>(number)] : [];

    private static TlsStatistics? TryRead()
    {
        try
        {
            return TlsStatistics.Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
