using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>gnutls-serv, which sends back what it receives.</summary>
internal sealed class GnuTlsServer : ServerPeer
{
    public override string Name => "GnuTLS";

    protected override async Task<RunningServer> StartAsync(Trial trial)
    {
        Cell cell = trial.Cell;
        int port = Scenario.FreePort();
        PeerProcess process = PeerProcess.Start(
            "gnutls-serv",
            ["--echo", "--port", $"{port}", "--x509certfile", Identity.Server(cell).CertificateFile, "--x509keyfile", Identity.Server(cell).KeyFile,
             "--priority", SuiteNames.GnuTlsPriority(cell),
             .. cell.Kind == CellKind.Mutual ? ["--require-client-cert", "--verify-client-cert", "--x509cafile", Scenario.RootFile] : Array.Empty<string>()]);
        await process.WaitForPortAsync(port);
        return new Running(trial, port, process);
    }

    private sealed class Running(Trial trial, int port, PeerProcess process) : RunningServer(trial, port)
    {
        public override string Answer => Trial.Question;

        // It speaks of a connection at its end.
        public override async Task<Told> TellAsync()
        {
            string output = await process.WaitForOutputAsync(text => text.Split("* Accepted connection").Length > Trial.Cell.Connections);
            string last = output[output.LastIndexOf("* Accepted connection", StringComparison.Ordinal)..];
            return new Told(
                SuiteNames.FromGnuTls(GnuTlsClient.Description().Match(last).Groups[1].Value, Trial.Cell.Suite),
                last.Contains("*** This is a resumed session", StringComparison.Ordinal),
                last.Contains("Client Signature: ", StringComparison.Ordinal) && last.Contains($"Subject: CN={Identity.ClientName}", StringComparison.Ordinal),
                Data: true);
        }

        public override ValueTask DisposeAsync()
        {
            process.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
