namespace KTls.Bench.Streams;

/// <summary>What changing keys costs a stream: the same data with a KeyUpdate every so many records and without any, in turns.</summary>
internal sealed class RekeyScenario : IScenario
{
    public string Name => "rekey";

    public string Usage => "rekey [--records 1000] [--planes kernel,user-space] [--repetitions 11] [--megabytes 512]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        int records = options.Take("records", 1000);
        string[] planes = options.TakeSome("planes", "kernel", "user-space");
        int repetitions = options.Take("repetitions", 11);
        int megabytes = options.Take("megabytes", 512);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("key changes", $"before {records} records; writes of 256 KiB");
        var workload = new Workload(Traffic.Send, 1 << 18, megabytes * 4);
        using var run = new StreamRun();
        for (int i = -1; i < repetitions; i++)
        {
            foreach (string plane in planes)
            {
                await MeasureAsync(report, run, workload, plane, records, i);
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
            string group = $"{plane}, {workload.Bytes >> 20} MiB";
            report.Add(group, "KeyUpdates sent", "number", keyUpdates.Sent);
            report.Add(group, "without, speed", "MB/s", workload.Bytes / 1e6 / without.Wall.TotalSeconds);
            report.Add(group, "with, speed", "MB/s", workload.Bytes / 1e6 / with.Wall.TotalSeconds);
            report.Add(group, "speed, with : without", "ratio", without.Wall / with.Wall);
            report.Add(group, "CPU time, without : with", "ratio", without.Cpu / with.Cpu);
        }
    }
}
