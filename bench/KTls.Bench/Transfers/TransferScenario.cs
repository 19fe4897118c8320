using KTls.Bench.Files;

namespace KTls.Bench.Transfers;

/// <summary>Much data in one direction, by what is ours, by SslStream, without TLS, and by the least that this kernel can do it with.</summary>
internal sealed class TransferScenario : IScenario
{
    private const int FileSize = 1 << 28;

    private static readonly string[] Kinds = Enum.GetNames<TransferKind>();

    private static readonly Dictionary<string, (int Size, int Count, bool IsFile)> Workloads = new()
    {
        ["1k"] = (1 << 10, 100_000, false),
        ["16k"] = (1 << 14, 30_000, false),
        ["256k"] = (1 << 18, 4000, false),
        ["file"] = (FileSize, 4, true),
    };

    public string Name => "stream";

    public string Usage =>
        $"stream [--kinds {string.Join(',', Kinds)}] [--workloads {string.Join(',', Workloads.Keys)}] [--buffer 262144] [--repetitions 7] [--percent 100]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        string[] kinds = options.TakeSome("kinds", Kinds);
        string[] workloads = options.TakeSome("workloads", [.. Workloads.Keys]);
        int buffer = options.Take("buffer", 1 << 18);
        int repetitions = options.Take("repetitions", 7);
        int percent = options.Take("percent", 100);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("receiver's buffer", $"{buffer} bytes");
        if (LimitProgram.Path is null)
        {
            report.Set("limit", "left out: there is no C compiler");
            kinds = [.. kinds.Where(kind => kind != nameof(TransferKind.Limit))];
        }

        using var folder = new FolderOfFiles();
        string file = workloads.Contains("file") ? await folder.AddAsync("file", FileSize) : "";
        var pairs = new List<TransferPair>();
        try
        {
            pairs.AddRange(kinds.Select(kind => new TransferPair(Enum.Parse<TransferKind>(kind))));
            for (int i = -1; i < repetitions; i++)
            {
                Progress.Tell(Name, i, repetitions);
                foreach (string workload in workloads)
                {
                    (int size, int count, bool isFile) = Workloads[workload];
                    count = Math.Max(1, (int)((long)count * percent / 100));
                    var used = new Dictionary<TransferPair, TransferUsage>();
                    foreach (TransferPair pair in i % 2 == 0 ? pairs : Enumerable.Reverse(pairs))
                    {
                        used[pair] = pair.Run(size, count, isFile ? file : null, buffer);
                    }

                    if (i >= 0)
                    {
                        Add(report, isFile ? "file of 256 MiB" : $"writes of {workload}", pairs, used, (double)size * count / 1e9);
                    }
                }
            }
        }
        finally
        {
            pairs.ForEach(pair => pair.Dispose());
        }

        return report;
    }

    private static void Add(Report report, string group, List<TransferPair> pairs, Dictionary<TransferPair, TransferUsage> used, double gigabytes)
    {
        foreach (TransferPair pair in pairs)
        {
            report.Add(group, $"{pair.Kind}, speed", "MB/s", gigabytes * 1000 / used[pair].Wall.TotalSeconds);
            report.Add(group, $"{pair.Kind}, sender's CPU time per GB", "s", used[pair].Sender.TotalSeconds / gigabytes);
            report.Add(group, $"{pair.Kind}, receiver's CPU time per GB", "s", used[pair].Receiver.TotalSeconds / gigabytes);
        }

        TransferUsage first = used[pairs[0]];
        foreach (TransferPair other in pairs.Skip(1))
        {
            string between = $"{pairs[0].Kind} : {other.Kind}";
            report.Add(group, $"{between}, speed", "ratio", used[other].Wall / first.Wall);
            report.Add(group, $"{between}, data per CPU second of the sender", "ratio", used[other].Sender / first.Sender);
            report.Add(group, $"{between}, data per CPU second of the receiver", "ratio", used[other].Receiver / first.Receiver);
        }
    }
}
