namespace KTls.Bench.Idle;

/// <summary>What an idle connection costs in memory, in the server and in the kernel.</summary>
internal sealed class IdleScenario : IScenario
{
    private static readonly string[] Kinds = Enum.GetNames<IdleKind>();

    public string Name => "idle";

    public string Usage => $"idle [--kinds {string.Join(',', Kinds)}] [--connections 10000] [--repetitions 3]";

    public Task<Report> RunAsync(CommandLine options)
    {
        string[] kinds = options.TakeSome("kinds", Kinds);
        int connections = options.Take("connections", 10_000);
        int repetitions = options.Take("repetitions", 3);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, each with new processes");
        report.Set("connections", $"{connections}; the memory of a server after {IdleRun.WarmUps} that are closed again is taken off");
        for (int i = 0; i < repetitions; i++)
        {
            var held = new Dictionary<IdleKind, Memory>();
            foreach (string name in kinds)
            {
                IdleKind kind = Enum.Parse<IdleKind>(name);
                Progress.Tell(Name, i, repetitions, name);
                held[kind] = Measure(kind, connections);
                Add(report, kind, held, connections);
            }
        }

        return Task.FromResult(report);
    }

    private static Memory Measure(IdleKind kind, int connections)
    {
        using var run = new IdleRun(kind);
        Memory before = run.Hold(0);
        return run.Hold(connections) - before;
    }

    private static void Add(Report report, IdleKind kind, Dictionary<IdleKind, Memory> held, int connections)
    {
        Memory memory = held[kind];
        string group = $"{connections} connections, per connection";
        report.Add(group, $"{kind}, managed objects", "bytes", (double)memory.Managed / connections);
        report.Add(group, $"{kind}, the server's process", "bytes", (double)memory.Process / connections);
        report.Add(group, $"{kind}, kernel with both ends", "bytes", (double)memory.Kernel / connections);
        if (!held.TryGetValue(IdleKind.Tcp, out Memory tcp) || kind == IdleKind.Tcp)
        {
            return;
        }

        report.Add(group, $"{kind}, kernel beyond TCP", "bytes", (double)(memory.Kernel - tcp.Kernel) / connections);
        report.Add(group, $"{kind}, process and kernel beyond TCP", "bytes", (double)BeyondTcp(memory) / connections);
        IdleKind? other = kind switch { IdleKind.SslStream => IdleKind.KTls, IdleKind.Kestrel => IdleKind.KTlsKestrel, _ => null };
        if (other is { } ours && held.TryGetValue(ours, out Memory memoryOfOurs))
        {
            report.Add(group, $"{ours} : {kind}, process and kernel beyond TCP", "ratio", (double)BeyondTcp(memoryOfOurs) / BeyondTcp(memory));
            report.Add(group, $"{ours} : {kind}, the server's process", "ratio", (double)memoryOfOurs.Process / memory.Process);
        }

        long BeyondTcp(Memory of) => of.Process - tcp.Process + of.Kernel - tcp.Kernel;
    }
}
