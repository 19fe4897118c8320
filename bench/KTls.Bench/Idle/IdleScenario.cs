using System.Globalization;

namespace KTls.Bench.Idle;

/// <summary>What an idle connection costs in memory, in the server and in the kernel.</summary>
internal sealed class IdleScenario : IScenario
{
    private const int WarmUps = 200;

    private static readonly string[] Kinds = Enum.GetNames<IdleKind>();

    public string Name => "idle";

    public string Usage => $"idle [--kinds {string.Join(',', Kinds)}] [--connections 10000] [--repetitions 3]";

    public Task<Report> RunAsync(CommandLine options)
    {
        string[] kinds = options.TakeSome("kinds", Kinds);
        int connections = options.Take("connections", 10_000);
        int repetitions = options.Take("repetitions", 3);
        options.ExpectEnd();

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, each with new processes");
        report.Set("connections", $"{connections}; the memory of a server after {WarmUps} that are closed again is taken off");
        for (int i = 0; i < repetitions; i++)
        {
            var held = new Dictionary<IdleKind, Memory>();
            foreach (string name in kinds)
            {
                IdleKind kind = Enum.Parse<IdleKind>(name);
                Console.Error.WriteLine($"idle: repetition {i + 1} of {repetitions}, {name}");
                held[kind] = Measure(kind, connections);
                Add(report, kind, held, connections);
            }
        }

        return Task.FromResult(report);
    }

    private static Memory Measure(IdleKind kind, int connections)
    {
        using var server = new ChildProcess(IdleServer.Command, kind.ToString());
        string port = server.Answer();
        using var peer = new ChildProcess(IdlePeer.Command);
        Hold(WarmUps);
        Memory before = Hold(0);
        Memory after = Hold(connections);
        Hold(0);
        return after - before;

        Memory Hold(int count)
        {
            string number = count.ToString(CultureInfo.InvariantCulture);
            peer.Tell($"{port} {(kind == IdleKind.Tcp ? "plain" : "tls")} {number}");
            if (peer.Answer() is var answer && answer != number)
            {
                throw new InvalidOperationException($"The client says '{answer}'.");
            }

            server.Tell(number);
            return Memory.Parse(server.Answer());
        }
    }

    private static void Add(Report report, IdleKind kind, Dictionary<IdleKind, Memory> held, int connections)
    {
        Memory memory = held[kind];
        string group = $"{kind}, {connections} connections";
        report.Add(group, "managed objects", "bytes", (double)memory.Managed / connections);
        report.Add(group, "the server's process, all of it", "bytes", (double)memory.Process / connections);
        report.Add(group, "kernel, both ends", "bytes", (double)memory.Kernel / connections);
        if (!held.TryGetValue(IdleKind.Tcp, out Memory tcp) || kind == IdleKind.Tcp)
        {
            return;
        }

        report.Add(group, "kernel, beyond TCP", "bytes", (double)(memory.Kernel - tcp.Kernel) / connections);
        report.Add(group, "process and kernel, beyond TCP", "bytes", (double)BeyondTcp(memory) / connections);
        IdleKind? other = kind switch { IdleKind.SslStream => IdleKind.KTls, IdleKind.Kestrel => IdleKind.KTlsKestrel, _ => null };
        if (other is { } ours && held.TryGetValue(ours, out Memory memoryOfOurs))
        {
            report.Add(group, $"{ours} : {kind}, process and kernel, beyond TCP", "ratio", (double)BeyondTcp(memoryOfOurs) / BeyondTcp(memory));
            report.Add(group, $"{ours} : {kind}, process", "ratio", (double)memoryOfOurs.Process / memory.Process);
        }

        long BeyondTcp(Memory of) => of.Process - tcp.Process + of.Kernel - tcp.Kernel;
    }
}
