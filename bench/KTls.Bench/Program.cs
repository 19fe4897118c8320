using System.ComponentModel;
using System.Globalization;
using System.Security.Authentication;
using KTls.Bench.Connections;
using KTls.Bench.Files;
using KTls.Bench.Handshakes;
using KTls.Bench.Idle;
using KTls.Bench.Latency;
using KTls.Bench.Scale;
using KTls.Bench.Sites;
using KTls.Bench.Streams;
using KTls.Bench.Transfers;

namespace KTls.Bench;

internal static class Program
{
    private static readonly IScenario[] Scenarios =
        [new HandshakeScenario(), new SslTimeScenario(), new FallbackScenario(), new DirectionScenario(), new RekeyScenario(), new LatencyScenario(), new SiteScenario(), new IdleScenario(), new FileScenario(), new TransferScenario(), new BytesScenario(), new ConnectionsScenario()];

    // What this program is as a child of its own, by the first argument.
    private static readonly Dictionary<string, Func<string[], Task>> Roles = new()
    {
        [PeerProcess.Command] = arguments => PeerProgram.RunAsync(arguments[1], HandshakeKind.Parse(arguments[2])),
        [StreamPeer.Command] = arguments => StreamPeer.RunAsync(int.Parse(arguments[1])),
        [FileClient.Command] = _ => FileClient.PlayAsync(),
        [OwnFileServerProgram.Command] = arguments => OwnFileServerProgram.RunAsync(Enum.Parse<OwnFileServerKind>(arguments[1]), arguments[2]),
        [TransferEnds.Command] = arguments => TransferEnds.RunAsync(arguments[1], Enum.Parse<TransferKind>(arguments[2])),
        [LatencyEnds.Command] = arguments => LatencyEnds.RunAsync(arguments[1], Enum.Parse<StreamKind>(arguments[2])),
        [IdleServer.Command] = arguments => IdleServer.RunAsync(Enum.Parse<IdleKind>(arguments[1])),
        [IdlePeer.Command] = _ => IdlePeer.RunAsync(),
    };

    public static async Task<int> Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            if (Pinning.RunPinned(arguments) is { } exitCode)
            {
                return exitCode;
            }

            await (arguments.Length != 0 && Roles.TryGetValue(arguments[0], out Func<string[], Task>? play) ? play : MeasureAsync)(arguments);
            return 0;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync("Usage: dotnet run -c Release --project bench/KTls.Bench -- SCENARIO… [--json FILE] [--plot FOLDER] [--pin MEASURED,PEER] [OPTIONS]");
            await Console.Error.WriteLineAsync("  An option goes to each of the scenarios that knows it; all: all of them.");
            foreach (IScenario scenario in Scenarios)
            {
                await Console.Error.WriteLineAsync($"  {scenario.Usage}");
            }

            return 2;
        }
        catch (Exception e) when (e is Win32Exception or AuthenticationException or InvalidOperationException or IOException)
        {
            // A program that is not there, a kernel without TLS, an end that has said so.
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static async Task MeasureAsync(string[] arguments)
    {
        string[] names = [.. arguments.TakeWhile(argument => !argument.StartsWith("--", StringComparison.Ordinal))];
        if (names.Length == 0)
        {
            throw new UsageException("Name a scenario, or several; all of them: 'all'.");
        }

        IScenario[] scenarios = names is ["all"] ? Scenarios : [.. names.Select(Find)];
        var options = new CommandLine(arguments.AsSpan(names.Length));
        string? json = options.Take("json");
        string? plots = options.Take("plot");
        options.Take(Pinning.Option);
        options.Expect(scenarios);
        var reports = new List<Report>();
        foreach (IScenario scenario in scenarios)
        {
            Report report = await scenario.RunAsync(options.For(scenario));
            reports.Add(report);
            report.Print(Console.Out);
            foreach (string file in plots is null ? [] : Plots.Save(report, plots))
            {
                Console.WriteLine(file);
            }

            // After each: the next one may take long, or fail.
            if (json is not null)
            {
                await File.WriteAllTextAsync(json, Report.ToJson(reports));
            }
        }
    }

    private static IScenario Find(string name) =>
        Array.Find(Scenarios, scenario => scenario.Name == name) ?? throw new UsageException($"There is no scenario '{name}'.");
}
