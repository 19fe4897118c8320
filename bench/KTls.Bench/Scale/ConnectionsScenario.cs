using System.Globalization;
using KTls.Bench.Files;
using KTls.Bench.Idle;

namespace KTls.Bench.Scale;

/// <summary>What a connection costs in memory, and a request in processor time, as connections grow.</summary>
internal sealed class ConnectionsScenario : IScenario
{
    private static readonly string[] Steps = ["1", "10", "100", "1000", "10000"];

    private static readonly string[] Kinds = [nameof(IdleKind.KTls), nameof(IdleKind.KTlsKestrel), nameof(IdleKind.SslStream)];

    public string Name => "scale-connections";

    public string Usage => $"scale-connections [--kinds {string.Join(',', Kinds)}] [--steps {string.Join(',', Steps)}] [--requests 10000] [--repetitions 3]";

    public Task<Report> RunAsync(CommandLine options)
    {
        string[] kinds = options.TakeSome("kinds", Kinds);
        int[] steps = [.. options.TakeSome("steps", Steps).Select(step => int.Parse(step, CultureInfo.InvariantCulture)).Order()];
        int requests = options.Take("requests", 10_000);
        int repetitions = options.Take("repetitions", 3);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name) { Axis = "connections" };
        report.Set("repetitions", $"{repetitions}, each with new processes");
        report.Set("requests", $"{requests}, on all connections in turn; as many come first that do not count");
        for (int i = 0; i < repetitions; i++)
        {
            foreach (string kind in kinds)
            {
                Progress.Tell(Name, i, repetitions, kind);
                using var run = new IdleRun(Enum.Parse<IdleKind>(kind));
                Memory none = run.Hold(0);
                foreach (int step in steps)
                {
                    Memory held = run.Hold(step) - none;
                    run.Ask(requests);
                    TimeSpan before = run.ServerCpu();
                    run.Ask(requests);
                    TimeSpan cpu = run.ServerCpu() - before;
                    string group = step.ToString(CultureInfo.InvariantCulture);
                    report.Add(group, $"{kind}, managed objects per connection", "bytes", (double)held.Managed / step);
                    report.Add(group, $"{kind}, process and kernel per connection", "bytes", (double)(held.Process + held.Kernel) / step);
                    report.Add(group, $"{kind}, server's CPU time per request", "µs", cpu.TotalMicroseconds / requests);
                }
            }
        }

        return Task.FromResult(report);
    }
}
