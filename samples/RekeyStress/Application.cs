using System.Globalization;
using KTls;

namespace RekeyStress;

/// <summary>From the command line to the summary.</summary>
internal static class Application
{
    /// <summary>Runs until all is done, time is up or the token is cancelled.</summary>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken stopping)
    {
        try
        {
            Settings settings = CommandLine.Parse(arguments);
            if (settings.ShowHelp)
            {
                await output.WriteLineAsync(CommandLine.Help);
                return 0;
            }

            return await RunAsync(settings, output, error, stopping);
        }
        catch (UserErrorException e)
        {
            await error.WriteLineAsync($"RekeyStress: {e.Message}");
            return 2;
        }
    }

    private static async Task<int> RunAsync(Settings settings, TextWriter output, TextWriter error, CancellationToken stopping)
    {
        string folder = Directory.CreateTempSubdirectory("rekey-stress").FullName;
        try
        {
            using var identity = new Identity();
            identity.WriteFiles(folder);
            using var pattern = new Pattern(settings.Seed, folder);
            bool kernelCanRekey = settings.UserSpaceOnly || await Warmup.RunAsync(identity);
            using var netem = Netem.Begin(settings.Netem);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            end.CancelAfter(settings.Time);
            var run = new Run(settings, pattern, identity, folder, kernelCanRekey, end.Token);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"RekeyStress --seed {settings.Seed}: {settings.Updates:N0} KeyUpdates on {settings.Connections} connections, {Opposite(settings)}"));
            if (!kernelCanRekey)
            {
                await output.WriteLineAsync("This kernel cannot change keys (Linux 6.14 or later can): of each connection one end is in user space, and changes its keys.");
            }

            TlsStatistics? before = await KernelUse.SettledAsync(before: null);
            var progress = new Progress(run, error, isTerminal: !Console.IsErrorRedirected && error == Console.Error);
            var workers = new Workers(run);
            if (!await progress.WatchAsync(workers.RunAsync()))
            {
                workers.ReportHang();
            }

            await Summary.WriteAsync(run, progress.Elapsed, before, output);
            return run.Findings.Count == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Opposite(Settings settings) => settings.Peer switch
    {
        PeerKind.OpenSsl => "OpenSSL at the other end",
        PeerKind.GnuTls => "GnuTLS at the other end",
        _ => "both ends ours",
    };
}
