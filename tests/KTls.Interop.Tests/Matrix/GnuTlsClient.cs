using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>gnutls-cli.</summary>
internal sealed partial class GnuTlsClient : ClientPeer
{
    public override string Name => "GnuTLS";

    protected override async Task<Told> ConnectAsync(Trial trial, int port)
    {
        Cell cell = trial.Cell;
        string log = Path.Combine(Scenario.Directory, $"{trial.ServerName}.log");
        using PeerProcess peer = PeerProcess.Start(
            "gnutls-cli",
            ["--logfile", log, "--x509cafile", Scenario.RootFile, "--verify-hostname", trial.ServerName, "--sni-hostname", trial.ServerName,
             "--priority", SuiteNames.GnuTlsPriority(cell),
             .. cell.Kind switch
             {
                 CellKind.Mutual => ["--x509certfile", Identity.Client(cell).CertificateFile, "--x509keyfile", Identity.Client(cell).KeyFile],
                 CellKind.Resumed => ["--resume", "--waitresumption"],
                 _ => Array.Empty<string>(),
             },
             "--port", $"{port}", "127.0.0.1"]);
        await peer.SendAsync(Encoding.ASCII.GetBytes(trial.Request));
        string output = Encoding.ASCII.GetString(await peer.FinishAsync());
        string told = await File.ReadAllTextAsync(log);
        MatchCollection descriptions = Description().Matches(told);
        Assert.True(descriptions.Count != 0, $"{told} {await peer.ErrorsAsync()}");
        return new Told(
            SuiteNames.FromGnuTls(descriptions[^1].Groups[1].Value, cell.Suite),
            told.Contains("*** This is a resumed session", StringComparison.Ordinal),
            told.Contains("Successfully sent 1 certificate(s) to server", StringComparison.Ordinal),
            output.EndsWith(trial.Answer, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^- Description: (\S+)$", RegexOptions.Multiline)]
    internal static partial Regex Description();
}
