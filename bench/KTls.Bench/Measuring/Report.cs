using System.Text.Json;

namespace KTls.Bench;

/// <summary>The figures of a run, with what they were measured on.</summary>
internal sealed class Report(string scenario)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly List<Series> _series = [];
    private readonly Dictionary<string, string> _settings = [];

    public string Scenario => scenario;

    public IReadOnlyList<Series> Series => _series;

    /// <summary>What the groups are steps of, when they are numbers; else null.</summary>
    public string? Axis { get; init; }

    /// <summary>Says how the scenario was run.</summary>
    public void Set(string name, object value) => _settings[name] = value.ToString()!;

    /// <summary>Adds one value to a series, which the first value creates.</summary>
    public void Add(string group, string name, string unit, double value)
    {
        Series? series = _series.Find(s => s.Group == group && s.Name == name);
        if (series is null)
        {
            series = new Series(group, name, unit);
            _series.Add(series);
        }

        series.Add(value);
    }

    public void Print(TextWriter output)
    {
        foreach ((string name, string value) in MachineFacts.All.Concat(_settings))
        {
            output.WriteLine($"{name,-18} {value}");
        }

        foreach (IGrouping<string, Series> group in _series.GroupBy(s => s.Group))
        {
            output.WriteLine();
            output.WriteLine($"{group.Key,-44}{"median",10}{"min",10}{"25 %",10}{"75 %",10}{"max",10}");
            foreach (Series s in group)
            {
                string format = s.Median < 100 ? "0.00" : "0";
                output.WriteLine(
                    $"  {$"{s.Name} [{s.Unit}]",-42}{Text(s.Median)}{Text(s.Min)}{Text(s.LowerQuartile)}{Text(s.UpperQuartile)}{Text(s.Max)}");
                string Text(double value) => value.ToString(format, null).PadLeft(10);
            }
        }
    }

    public static string ToJson(IEnumerable<Report> reports) => JsonSerializer.Serialize(
        new { Machine = MachineFacts.All, Reports = reports.Select(report => new { report.Scenario, Settings = report._settings, report.Series }) }, Indented);
}
