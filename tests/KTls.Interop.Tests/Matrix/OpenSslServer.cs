using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>openssl s_server.</summary>
internal sealed partial class OpenSslServer : ServerPeer
{
    public override string Name => "OpenSSL";

    /// <summary>The arguments that leave only the version and suite of a cell.</summary>
    public static string[] Choose(Cell cell) =>
        cell.IsTls13 ? ["-tls1_3", "-ciphersuites", cell.Suite.ToString()] : ["-tls1_2", "-cipher", SuiteNames.OpenSsl(cell.Suite)];

    protected override async Task<RunningServer> StartAsync(Trial trial)
    {
        Cell cell = trial.Cell;
        int port = Scenario.FreePort();
        PeerProcess process = PeerProcess.Start(
            "openssl",
            ["s_server", "-naccept", $"{cell.Connections}", "-accept", $"127.0.0.1:{port}", "-cert", Identity.Server(cell).CertificateFile, "-key", Identity.Server(cell).KeyFile,
             .. Choose(cell), .. cell.Kind == CellKind.Mutual ? ["-Verify", "1", "-verify_return_error", "-CAfile", Scenario.RootFile] : Array.Empty<string>()]);
        await process.WaitForPortAsync(port);
        return new Running(trial, port, process);
    }

    private sealed partial class Running(Trial trial, int port, PeerProcess process) : RunningServer(trial, port)
    {
        private int _answered;

        // It prints what it receives, and sends what is typed.
        public override async Task AnswerAsync()
        {
            string question = string.Concat(Enumerable.Repeat(Regex.Escape(Trial.Question) + "(.|\n)*", ++_answered));
            await process.WaitForOutputAsync(output => Regex.IsMatch(output, question));
            await process.SendAsync(Encoding.ASCII.GetBytes(Trial.Answer));
        }

        public override async Task<Told> TellAsync()
        {
            string output = Encoding.ASCII.GetString(await process.FinishAsync());
            string last = output[output.LastIndexOf("-----BEGIN SSL SESSION PARAMETERS-----", StringComparison.Ordinal)..];
            return new Told(
                SuiteNames.FromOpenSsl(Agreement().Match(last).Groups[1].Value),
                last.Contains("Reused session-id", StringComparison.Ordinal),
                last.Contains($"subject=CN={Identity.ClientName}", StringComparison.Ordinal),
                last.Contains(Trial.Question, StringComparison.Ordinal));
        }

        public override ValueTask DisposeAsync()
        {
            process.Dispose();
            return ValueTask.CompletedTask;
        }

        [GeneratedRegex(@"^CIPHER is (\S+)", RegexOptions.Multiline)]
        private static partial Regex Agreement();
    }
}
