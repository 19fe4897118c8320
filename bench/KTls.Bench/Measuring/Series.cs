namespace KTls.Bench;

/// <summary>One quantity, measured several times, and its spread.</summary>
/// <param name="Group">What was measured, such as "full, server".</param>
/// <param name="Name">Whose it is and the quantity, with a comma between them.</param>
/// <param name="Unit">The unit.</param>
internal sealed record Series(string Group, string Name, string Unit)
{
    private readonly List<double> _values = [];

    /// <summary>Whose it is; null: nobody's.</summary>
    public string? Who => Name.LastIndexOf(", ", StringComparison.Ordinal) is var comma and > 0 ? Name[..comma] : null;

    public string Quantity => Name[(Name.LastIndexOf(", ", StringComparison.Ordinal) is var comma and > 0 ? comma + 2 : 0)..];

    public IReadOnlyList<double> Values => _values;

    public double Min => Quantile(0);

    public double LowerQuartile => Quantile(0.25);

    public double Median => Quantile(0.5);

    public double UpperQuartile => Quantile(0.75);

    public double Max => Quantile(1);

    public void Add(double value) => _values.Add(value);

    // Between two values in proportion.
    private double Quantile(double q)
    {
        double[] sorted = [.. _values.Order()];
        double position = q * (sorted.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
