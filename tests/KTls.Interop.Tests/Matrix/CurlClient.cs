using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>curl.</summary>
internal sealed partial class CurlClient : ClientPeer
{
    public override string Name => "curl";

    public override string? WhyNot(Cell cell) => !cell.IsTls13 && cell.Kind == CellKind.Resumed ? "takes no tickets in TLS 1.2, and we resume nothing else" : null;

    protected override async Task<Told> ConnectAsync(Trial trial, int port)
    {
        Cell cell = trial.Cell;
        Identity client = Identity.Client(cell);
        using PeerProcess peer = PeerProcess.Start(
            "curl",
            ["--silent", "--show-error", "--verbose", "--http1.1", "--max-time", "60", "--cacert", Scenario.RootFile, "--resolve", $"{trial.ServerName}:{port}:127.0.0.1",
             .. cell.IsTls13 ? ["--tlsv1.3", "--tls13-ciphers", cell.Suite.ToString()] : new[] { "--tlsv1.2", "--tls-max", "1.2", "--ciphers", SuiteNames.OpenSsl(cell.Suite) },
             .. cell.Kind == CellKind.Mutual ? ["--cert", client.CertificateFile, "--key", client.KeyFile] : Array.Empty<string>(),
             "--data-binary", trial.Question, .. Enumerable.Repeat($"https://{trial.ServerName}:{port}/", cell.Connections)]);
        string output = Encoding.ASCII.GetString(await peer.FinishAsync());
        string told = await peer.ErrorsAsync();
        string last = told[Math.Max(0, told.LastIndexOf("*   Trying ", StringComparison.Ordinal))..];
        Match match = Agreement().Match(last);
        Assert.True(match.Success, told);
        return new Told(
            SuiteNames.FromOpenSsl(match.Groups[1].Value),
            !last.Contains("(IN), TLS handshake, Certificate (11)", StringComparison.Ordinal),
            last.Contains("(OUT), TLS handshake, CERT verify (15)", StringComparison.Ordinal),
            output == string.Concat(Enumerable.Repeat(trial.Answer, cell.Connections)));
    }

    [GeneratedRegex(@"SSL connection using TLSv1\.\d / (\S+)")]
    private static partial Regex Agreement();
}
