using System.Globalization;

namespace KTls.Bench.Streams;

/// <summary>What changing keys costs a stream: the same data with a KeyUpdate every so many records and without any, in turns.</summary>
internal sealed class RekeyScenario : IScenario
{
    public string Name => "rekey";

    public string Usage => "rekey [--records 16,100,1000,10000] [--planes kernel,user-space] [--repetitions 11] [--megabytes 256]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        int[] intervals = options.TakeNumbers("records", "16,100,1000,10000");
        string[] planes = options.TakeSome("planes", "kernel", "user-space");
        int repetitions = options.Take("repetitions", 11);
        int megabytes = options.Take("megabytes", 256);
        options.ExpectEnd();
        if (intervals.Any(records => records is < 16 or > 1 << 22))
        {
            throw new UsageException("--records takes 16 to 4194304, as KTlsOptions.RekeyAfterRecords does.");
        }

        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name) { Axis = "records between two KeyUpdates" };
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("data", $"{megabytes} MiB in writes of 256 KiB");
        var workload = new Workload(Traffic.Send, 1 << 18, megabytes * 4);
        using var run = new StreamRun();
        for (int i = -1; i < repetitions; i++)
        {
            Progress.Tell(Name, i, repetitions);
            foreach (string plane in planes)
            {
                foreach (int records in intervals)
                {
                    await MeasureAsync(report, run, workload, plane, records, i);
                }
            }
        }

        return report;
    }

    private static async Task MeasureAsync(Report report, StreamRun run, Workload workload, string plane, int records, int repetition)
    {
        DataPlanePolicy policy = plane == "kernel" ? DataPlanePolicy.RequireKernel : DataPlanePolicy.UserSpace;
        using var keyUpdates = new KeyUpdateCounter();
        Usage with = default;
        Usage without = default;
        foreach (bool changes in repetition % 2 == 0 ? [true, false] : new[] { false, true })
        {
            var options = new KTlsOptions { DataPlane = policy };
            if (changes)
            {
                options.RekeyAfterRecords = records;
                with = await run.RunAsync(workload, options);
            }
            else
            {
                without = await run.RunAsync(workload, options);
            }
        }

        if (keyUpdates.Sent < workload.Bytes / 16384 / records)
        {
            throw new InvalidOperationException($"Only {keyUpdates.Sent} changes of keys: does this kernel know them?");
        }

        if (repetition >= 0)
        {
            string group = records.ToString(CultureInfo.InvariantCulture);
            report.Add(group, $"{plane}, speed", "MB/s", workload.Bytes / 1e6 / with.Wall.TotalSeconds);
            report.Add(group, $"{plane} without KeyUpdates, speed", "MB/s", workload.Bytes / 1e6 / without.Wall.TotalSeconds);
            report.Add(group, $"{plane} with : without, speed", "ratio", without.Wall / with.Wall);
            report.Add(group, $"{plane} with : without, data per CPU second of the sender", "ratio", without.Cpu / with.Cpu);
            report.Add(group, $"{plane}, KeyUpdates sent", "number", keyUpdates.Sent);
        }
    }
}
