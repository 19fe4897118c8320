using System.ComponentModel;
using System.Globalization;
using System.Security.Authentication;
using KTls.Bench.Files;
using KTls.Bench.Handshakes;
using KTls.Bench.Idle;
using KTls.Bench.Scale;
using KTls.Bench.Sites;
using KTls.Bench.Streams;
using KTls.Bench.Transfers;

namespace KTls.Bench;

internal static class Program
{
    private static readonly IScenario[] Scenarios =
        [new HandshakeScenario(), new SslTimeScenario(), new FallbackScenario(), new DirectionScenario(), new RekeyScenario(), new SiteScenario(), new IdleScenario(), new FileScenario(), new TransferScenario(), new BytesScenario(), new ConnectionsScenario()];

    // What this program is as a child of its own, by the first argument.
    private static readonly Dictionary<string, Func<string[], Task>> Roles = new()
    {
        [PeerProcess.Command] = PlayPeer,
        [StreamPeer.Command] = arguments => StreamPeer.RunAsync(int.Parse(arguments[1])),
        [FileClient.Command] = _ => FileClient.PlayAsync(),
        [OwnFileServerProgram.Command] = arguments => OwnFileServerProgram.RunAsync(Enum.Parse<OwnFileServerKind>(arguments[1]), arguments[2]),
        [TransferEnds.Command] = arguments => TransferEnds.RunAsync(arguments[1], Enum.Parse<TransferKind>(arguments[2])),
        [IdleServer.Command] = arguments => IdleServer.RunAsync(Enum.Parse<IdleKind>(arguments[1])),
        [IdlePeer.Command] = _ => IdlePeer.RunAsync(),
    };

    public static async Task<int> Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            await (arguments.Length != 0 && Roles.TryGetValue(arguments[0], out Func<string[], Task>? play) ? play : MeasureAsync)(arguments);
            return 0;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync("Usage: dotnet run -c Release --project bench/KTls.Bench -- SCENARIO [--json FILE] [--plot FOLDER] [OPTIONS]");
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
        if (arguments.Length == 0 || Array.Find(Scenarios, s => s.Name == arguments[0]) is not { } scenario)
        {
            throw new UsageException("Name a scenario.");
        }

        var options = new CommandLine(arguments.AsSpan(1));
        string? json = options.Take("json");
        string? plots = options.Take("plot");
        Report report = await scenario.RunAsync(options);
        report.Print(Console.Out);
        if (json is not null)
        {
            await File.WriteAllTextAsync(json, report.ToJson());
        }

        foreach (string file in plots is null ? [] : Plots.Save(report, plots))
        {
            Console.WriteLine(file);
        }
    }

    private static Task PlayPeer(string[] arguments)
    {
        PeerProgram.Run(arguments[1], Enum.Parse<HandshakeMode>(arguments[2]));
        return Task.CompletedTask;
    }
}
