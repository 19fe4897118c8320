namespace KTls.Bench.Streams;

/// <summary>
/// Whether it pays that the kernel receives, and that it sends: the same traffic with one direction in user space and in the kernel,
/// in turns. The other direction, and the other end, stay with the kernel.
/// </summary>
internal sealed class DirectionScenario : IScenario
{
    private static readonly Plane[] Receivers =
    [
        new("user space", () => new KTlsOptions { KernelDirections = KernelDirections.Send }, DataPlaneKind.UserSpace),
        new("kernel, padding expected", () => new KTlsOptions { ExpectPadding = true, ReceiveWithoutRekey = ReceiveWithoutRekey.Kernel }, DataPlaneKind.Kernel),
        new("kernel", () => new KTlsOptions { ReceiveWithoutRekey = ReceiveWithoutRekey.Kernel }, DataPlaneKind.Kernel),
    ];

    private static readonly Plane[] Senders =
    [
        new("user space", () => new KTlsOptions { KernelDirections = KernelDirections.Receive }, DataPlaneKind.UserSpace),
        new("kernel", () => new KTlsOptions(), DataPlaneKind.Kernel),
    ];

    private static readonly Dictionary<string, Workload> ReceiveWorkloads = new()
    {
        ["64"] = new(Traffic.Receive, 64, 100_000),
        ["1k"] = new(Traffic.Receive, 1024, 80_000),
        ["16k"] = new(Traffic.Receive, 16384, 20_000, Buffer: 16384),
        ["256k"] = new(Traffic.Receive, 16384, 20_000),
        ["1m"] = new(Traffic.Receive, 16384, 20_000, Buffer: 1 << 20),
        ["exchange-64"] = new(Traffic.Exchange, 64, 15_000),
        ["exchange-1k"] = new(Traffic.Exchange, 1024, 15_000),
    };

    private static readonly Dictionary<string, Workload> SendWorkloads = new()
    {
        ["64"] = new(Traffic.Send, 64, 60_000),
        ["1k"] = new(Traffic.Send, 1024, 60_000),
        ["16k"] = new(Traffic.Send, 16384, 20_000),
        ["256k"] = new(Traffic.Send, 1 << 18, 1600),
        ["exchange-64"] = new(Traffic.Exchange, 64, 15_000),
        ["exchange-1k"] = new(Traffic.Exchange, 1024, 15_000),
    };

    private static readonly string[] WorkloadNames = [.. ReceiveWorkloads.Keys.Union(SendWorkloads.Keys)];

    private sealed record Plane(string Name, Func<KTlsOptions> CreateOptions, DataPlaneKind Kind);

    public string Name => "direction";

    public string Usage => $"direction [--directions receive,send] [--workloads {string.Join(',', WorkloadNames)}] [--repetitions 7] [--percent 100]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        string[] directions = options.TakeSome("directions", "receive", "send");
        string[] workloads = options.TakeSome("workloads", WorkloadNames);
        int repetitions = options.Take("repetitions", 7);
        int percent = options.Take("percent", 100);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("amount of data", $"{percent} % of the usual");
        using var run = new StreamRun();
        for (int i = -1; i < repetitions; i++)
        {
            Progress.Tell(Name, i, repetitions);
            foreach (string direction in directions)
            {
                bool receives = direction == "receive";
                foreach ((string name, Workload workload) in receives ? ReceiveWorkloads : SendWorkloads)
                {
                    if (workloads.Contains(name))
                    {
                        await MeasureAsync(report, run, receives, workload with { Count = workload.Count / 100 * percent }, i);
                    }
                }
            }
        }

        return report;
    }

    private static async Task MeasureAsync(Report report, StreamRun run, bool receives, Workload workload, int repetition)
    {
        // In turns, and the order changes from one repetition to the next.
        Plane[] planes = receives ? Receivers : Senders;
        var used = new Dictionary<Plane, Usage>();
        foreach (Plane plane in repetition % 2 == 0 ? planes : planes.Reverse())
        {
            used[plane] = await run.RunAsync(workload, plane.CreateOptions(), stream => Check(receives ? stream.Receiving : stream.Sending, plane.Kind));
        }

        if (repetition < 0)
        {
            return;
        }

        string group = $"{(receives ? "receiving" : "sending")}: {workload}";
        foreach (Plane plane in planes)
        {
            report.Add(group, $"{plane.Name}, CPU time", "µs", used[plane].Cpu.TotalMicroseconds / workload.Count);
            report.Add(group, $"{plane.Name}, speed", "MB/s", workload.Bytes / 1e6 / used[plane].Wall.TotalSeconds);
        }

        for (int i = 1; i < planes.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                report.Add(group, $"{planes[i].Name} : {planes[j].Name}", "speed", used[planes[j]].Wall / used[planes[i]].Wall);
            }
        }
    }

    private static void Check(DataPlaneStatus status, DataPlaneKind expected)
    {
        if (status.Kind != expected)
        {
            throw new InvalidOperationException($"Not {expected} but {status.Kind}: {status.Reason}");
        }
    }
}
