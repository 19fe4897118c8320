using System.Diagnostics.Metrics;

namespace KTls.Tests;

/// <summary>What the meter "KTls" tells from now on.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, double> _sums = [];
    private readonly Lock _lock = new();

    public Measurements(params string[] instruments)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "KTls" && (instruments.Length == 0 || instruments.Contains(instrument.Name)))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The sums by instrument and attributes, such as "ktls.key_updates network.io.direction=receive"; of durations their number.</summary>
    public SortedDictionary<string, double> Sums
    {
        get
        {
            lock (_lock)
            {
                return new SortedDictionary<string, double>(_sums, StringComparer.Ordinal);
            }
        }
    }

    public double this[string key] => Sums.GetValueOrDefault(key);

    /// <summary>Asks the instruments that tell only when asked.</summary>
    public SortedDictionary<string, double> Observe()
    {
        lock (_lock)
        {
            _sums.Clear();
        }

        _listener.RecordObservableInstruments();
        return Sums;
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string key = string.Join(' ', [instrument.Name, .. tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}")]);
        lock (_lock)
        {
            Assert.True(value >= 0, $"{key}: {value}");
            _sums[key] = _sums.GetValueOrDefault(key) + (instrument.Unit == "s" ? 1 : value);
        }
    }
}
