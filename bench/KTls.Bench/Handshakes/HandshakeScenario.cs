namespace KTls.Bench.Handshakes;

/// <summary>
/// Handshakes over loopback, ours and SslStream's in turns. The client validates: certificate loading, chain and name are
/// its work. Processor time counts, since the clock on a busy machine says little.
/// </summary>
internal sealed class HandshakeScenario : IScenario
{
    public string Name => "handshake";

    public string Usage =>
        "handshake [--roles both,server,client] [--repetitions 11] [--handshakes 250] [--concurrency 8] [--plane UserSpace|PreferKernel|RequireKernel]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        MeasuredRoles[] roles = [.. options.TakeSome("roles", "both", "server", "client").Select(name => Enum.Parse<MeasuredRoles>(name, ignoreCase: true))];
        int repetitions = options.Take("repetitions", 11);
        int count = options.Take("handshakes", 250);
        int concurrency = options.Take("concurrency", 8);
        DataPlanePolicy plane = Enum.TryParse(options.Take("plane") ?? nameof(DataPlanePolicy.UserSpace), out DataPlanePolicy parsed)
            ? parsed
            : throw new UsageException("--plane knows UserSpace, PreferKernel, RequireKernel.");
        options.ExpectEnd();

        var report = new Report(Name);
        report.Set("repetitions", repetitions);
        report.Set("handshakes", $"{count} per repetition, {concurrency} at a time");
        report.Set("data plane", plane);
        ITlsImplementation ours = new KTlsImplementation(plane);
        ITlsImplementation theirs = new SslStreamImplementation(allowTlsResume: false);
        foreach (MeasuredRoles role in roles)
        {
            await MeasureAsync(report, role, ours, theirs, repetitions, count, concurrency);
        }

        return report;
    }

    private static async Task MeasureAsync(Report report, MeasuredRoles roles, ITlsImplementation ours, ITlsImplementation theirs, int repetitions, int count, int concurrency)
    {
        string group = $"full, {(roles == MeasuredRoles.Both ? "both roles" : $"{roles} alone")}";
        using var batch = new HandshakeBatch(roles, count, concurrency);
        using var primitives = new ServerPrimitives();
        await WarmUpAsync(batch, ours, theirs, primitives, count);
        for (int i = 0; i < repetitions; i++)
        {
            // In turns, and each goes first in every second repetition.
            bool oursFirst = i % 2 == 0;
            Usage first = await batch.RunAsync(oursFirst ? ours : theirs);
            Usage second = await batch.RunAsync(oursFirst ? theirs : ours);
            (Usage our, Usage their) = oursFirst ? (first, second) : (second, first);
            Add(report, group, ours.Name, our, count);
            Add(report, group, theirs.Name, their, count);
            report.Add(group, "handshakes per CPU second, KTls : SslStream", "ratio", their.Cpu / our.Cpu);
            report.Add(group, "handshakes per second, KTls : SslStream", "ratio", their.Wall / our.Wall);
            if (roles == MeasuredRoles.Server)
            {
                Usage bare = primitives.Run(count);
                report.Add(group, "bare primitives, CPU time", "µs", bare.Cpu.TotalMicroseconds / count);
                report.Add(group, "CPU time, KTls : bare primitives", "ratio", our.Cpu / bare.Cpu);
            }
        }
    }

    // Until the JIT compiler has nothing left to improve: it works in the background, after calls and time.
    private static async Task WarmUpAsync(HandshakeBatch batch, ITlsImplementation ours, ITlsImplementation theirs, ServerPrimitives primitives, int count)
    {
        for (int i = 0; i < 6; i++)
        {
            await batch.RunAsync(ours);
            await batch.RunAsync(theirs);
            primitives.Run(count);
        }
    }

    private static void Add(Report report, string group, string name, Usage used, int count)
    {
        report.Add(group, $"{name}, CPU time", "µs", used.Cpu.TotalMicroseconds / count);
        report.Add(group, $"{name}, of it in the kernel", "µs", used.Kernel.TotalMicroseconds / count);
        report.Add(group, $"{name}, handshakes per CPU second", "1/s", count / used.Cpu.TotalSeconds);
        report.Add(group, $"{name}, handshakes per second", "1/s", count / used.Wall.TotalSeconds);
        report.Add(group, $"{name}, managed memory", "bytes", (double)used.AllocatedBytes / count);
    }
}
