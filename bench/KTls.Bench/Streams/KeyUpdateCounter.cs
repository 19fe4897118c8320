using System.Diagnostics.Metrics;

namespace KTls.Bench.Streams;

/// <summary>Counts the KeyUpdates that this process sends from now on, by the library's own metric.</summary>
internal sealed class KeyUpdateCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _sent;

    public KeyUpdateCounter()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "KTls", Name: "ktls.key_updates" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, number, tags, _) =>
        {
            if (tags is [{ Value: "transmit" }])
            {
                Interlocked.Add(ref _sent, number);
            }
        });
        _listener.Start();
    }

    public long Sent => Volatile.Read(ref _sent);

    public void Dispose() => _listener.Dispose();
}
