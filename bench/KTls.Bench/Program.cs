using System.Globalization;
using KTls.Bench.Handshakes;
using KTls.Bench.Sites;
using KTls.Bench.Streams;

namespace KTls.Bench;

internal static class Program
{
    private static readonly IScenario[] Scenarios =
        [new HandshakeScenario(), new FallbackScenario(), new DirectionScenario(), new RekeyScenario(), new SiteScenario()];

    public static async Task<int> Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (arguments is [PeerProcess.Command, string role, string mode])
        {
            PeerProgram.Run(role, Enum.Parse<HandshakeMode>(mode));
            return 0;
        }

        if (arguments is [StreamPeer.Command, string port])
        {
            await StreamPeer.RunAsync(int.Parse(port));
            return 0;
        }

        if (arguments is [SitePeer.Command])
        {
            await SitePeer.RunAsync();
            return 0;
        }

        try
        {
            if (arguments.Length == 0 || Array.Find(Scenarios, s => s.Name == arguments[0]) is not { } scenario)
            {
                throw new UsageException("Name a scenario.");
            }

            var options = new CommandLine(arguments.AsSpan(1));
            string? json = options.Take("json");
            Report report = await scenario.RunAsync(options);
            report.Print(Console.Out);
            if (json is not null)
            {
                await File.WriteAllTextAsync(json, report.ToJson());
            }

            return 0;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            await Console.Error.WriteLineAsync("Usage: dotnet run -c Release --project bench/KTls.Bench -- SCENARIO [--json FILE] [OPTIONS]");
            foreach (IScenario scenario in Scenarios)
            {
                await Console.Error.WriteLineAsync($"  {scenario.Usage}");
            }

            return 2;
        }
    }
}
