using KTls.Bench.Connections;

namespace KTls.Bench.Latency;

/// <summary>How long a small request takes to its answer, one at a time on one connection.</summary>
internal sealed class LatencyScenario : IScenario
{
    /// <summary>So many percent of the rounds were not longer.</summary>
    public static readonly double[] Percentiles = [50, 90, 99, 99.9];

    private static readonly string[] Kinds = [nameof(StreamKind.Kernel), nameof(StreamKind.UserSpace), nameof(StreamKind.SslStream), nameof(StreamKind.Plain)];

    public string Name => "latency";

    public string Usage => $"latency [--kinds {string.Join(',', Kinds)}] [--bytes 64,4096] [--rounds 10000] [--repetitions 7]";

    public Task<Report> RunAsync(CommandLine options)
    {
        StreamKind[] kinds = [.. options.TakeSome("kinds", Kinds).Select(Enum.Parse<StreamKind>)];
        int[] sizes = options.TakeNumbers("bytes", "64,4096");
        int rounds = options.Take("rounds", 10_000);
        int repetitions = options.Take("repetitions", 7);
        options.ExpectEnd();
        if (Array.Exists(sizes, size => size > 1 << 16))
        {
            throw new UsageException($"--bytes goes to {1 << 16}.");
        }

        if (kinds.Contains(StreamKind.Kernel))
        {
            MachineFacts.RequireKernelTls(Name);
        }

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("rounds", $"{rounds} each, after a tenth as many that do not count");
        var pairs = new List<LatencyPair>();
        try
        {
            pairs.AddRange(kinds.Select(kind => new LatencyPair(kind)));
            for (int i = -1; i < repetitions; i++)
            {
                Progress.Tell(Name, i, repetitions);
                foreach (int size in sizes)
                {
                    Measure(report, pairs, size, rounds, i);
                }
            }
        }
        finally
        {
            pairs.ForEach(pair => pair.Dispose());
        }

        return Task.FromResult(report);
    }

    private static void Measure(Report report, List<LatencyPair> pairs, int size, int count, int repetition)
    {
        var medians = new Dictionary<LatencyPair, double>();
        foreach (LatencyPair pair in repetition % 2 == 0 ? pairs : Enumerable.Reverse(pairs))
        {
            (double[] rounds, TimeSpan server) = pair.Run(size, count);
            medians[pair] = rounds[0];
            if (repetition < 0)
            {
                continue;
            }

            for (int i = 0; i < rounds.Length; i++)
            {
                report.Add($"{size} bytes there and back", $"{pair.Name}, {Percentiles[i]} % at most", "µs", rounds[i]);
            }

            report.Add($"{size} bytes there and back", $"{pair.Name}, server's CPU time", "µs", server.TotalMicroseconds / (count + (count / 10)));
        }

        foreach (LatencyPair other in repetition < 0 ? [] : pairs.Skip(1))
        {
            report.Add($"{size} bytes there and back", $"{pairs[0].Name} : {other.Name}, half of the rounds", "ratio", medians[pairs[0]] / medians[other]);
        }
    }
}
