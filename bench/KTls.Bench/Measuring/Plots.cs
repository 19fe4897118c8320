using System.Globalization;
using ScottPlot;
using ScottPlot.Plottables;

namespace KTls.Bench;

/// <summary>
/// A report as pictures: a quantity of all who were measured, with the middle half of the repetitions as whiskers. Bars, or, where
/// the groups are steps of one size (<see cref="Report.Axis"/>), lines.
/// </summary>
internal static class Plots
{
    private const int Width = 800;
    private const int RowHeight = 34;
    private const int LinesHeight = 420;

    /// <summary>Writes SVG files into a folder, which is made if it is not there.</summary>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> Save(Report report, string folder)
    {
        Directory.CreateDirectory(folder);
        var files = new List<string>();

        // Ratios and mere numbers stand in the table: pictures show what is measured.
        foreach (IGrouping<(string, string Unit), Series> quantity in report.Series.Where(s => s.Unit is not ("ratio" or "number") && s.Who is not null).GroupBy(s => (s.Quantity, s.Unit)))
        {
            if (report.Axis is { } axis)
            {
                Save(Lines(quantity, axis), LinesHeight, report.Scenario, quantity.Key.Item1);
                continue;
            }

            foreach (IGrouping<string, Series> group in quantity.GroupBy(s => s.Group).Where(group => group.Count() > 1))
            {
                Save(Bars([.. group]), 90 + (RowHeight * group.Count()), report.Scenario, group.Key, quantity.Key.Item1);
            }
        }

        return files;

        void Save(Plot plot, int height, params string[] words)
        {
            IEnumerable<char> letters = string.Join(' ', words).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : ' ');
            string path = Path.Combine(folder, string.Join('-', string.Concat(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries)) + ".svg");
            plot.SaveSvg(path, Width, height);
            files.Add(path);
        }
    }

    private static Plot Bars(Series[] all)
    {
        var plot = new Plot();

        // From top to bottom as in the table.
        for (int i = 0; i < all.Length; i++)
        {
            double position = all.Length - i;
            BarPlot bar = plot.Add.Bar(position, all[i].Median);
            bar.Horizontal = true;
            bar.Color = plot.Add.Palette.GetColor(0).WithAlpha(0.7);
            plot.Add.Text(all[i].Median.ToString(all[i].Median < 100 ? "0.##" : "0", CultureInfo.InvariantCulture), all[i].UpperQuartile, position).Alignment = Alignment.MiddleLeft;
            plot.PlottableList.Add(new ErrorBar([all[i].Median], [position], [all[i].Median - all[i].LowerQuartile], [all[i].UpperQuartile - all[i].Median], null, null)
            {
                Color = Colors.Black,
            });
        }

        plot.Axes.Left.SetTicks([.. all.Select((_, i) => (double)all.Length - i)], [.. all.Select(s => s.Who!)]);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.Axes.SetLimits(0, all.Max(s => s.UpperQuartile) * 1.15, 0.4, all.Length + 0.6);
        plot.HideGrid();
        Name(plot, all[0]);
        return plot;
    }

    private static Plot Lines(IEnumerable<Series> quantity, string axis)
    {
        var plot = new Plot();
        foreach (IGrouping<string?, Series> who in quantity.GroupBy(s => s.Who))
        {
            double[] x = [.. who.Select(s => Math.Log10(double.Parse(s.Group, CultureInfo.InvariantCulture)))];
            Scatter line = plot.Add.Scatter(x, who.Select(s => s.Median).ToArray());
            line.LegendText = who.Key!;
            plot.PlottableList.Add(new ErrorBar(
                x, [.. who.Select(s => s.Median)], null, null, [.. who.Select(s => s.Median - s.LowerQuartile)], [.. who.Select(s => s.UpperQuartile - s.Median)])
            {
                Color = line.Color,
            });
        }

        double[] groups = [.. quantity.Select(s => double.Parse(s.Group, CultureInfo.InvariantCulture)).Distinct()];
        plot.Axes.Bottom.SetTicks([.. groups.Select(Math.Log10)], [.. groups.Select(value => value.ToString("#,0", CultureInfo.InvariantCulture))]);
        plot.Axes.SetLimitsY(0, quantity.Max(s => s.UpperQuartile) * 1.2);
        plot.ShowLegend();
        Series first = quantity.First();
        plot.XLabel(axis);
        plot.YLabel(first.Unit);
        plot.Title(first.Quantity);
        return plot;
    }

    private static void Name(Plot plot, Series series)
    {
        plot.Title($"{series.Group}: {series.Quantity}");
        plot.XLabel(series.Unit);
    }
}
