using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>openssl s_client.</summary>
internal sealed partial class OpenSslClient : ClientPeer
{
    public override string Name => "OpenSSL";

    protected override async Task<Told> ConnectAsync(Trial trial, int port)
    {
        string session = Path.Combine(Scenario.Directory, $"{trial.ServerName}.session");
        if (trial.Cell.Kind != CellKind.Resumed)
        {
            return await ConnectOnceAsync(trial, port);
        }

        await ConnectOnceAsync(trial, port, "-sess_out", session);
        return await ConnectOnceAsync(trial, port, "-sess_in", session);
    }

    private static async Task<Told> ConnectOnceAsync(Trial trial, int port, params string[] arguments)
    {
        Cell cell = trial.Cell;
        using PeerProcess peer = PeerProcess.Start(
            "openssl",
            ["s_client", "-nocommands", "-state", "-connect", $"127.0.0.1:{port}", "-servername", trial.ServerName, "-verify_hostname", trial.ServerName,
             "-CAfile", Scenario.RootFile, "-verify_return_error", .. OpenSslServer.Choose(cell), .. arguments,
             .. cell.Kind == CellKind.Mutual ? ["-cert", Identity.Client(cell).CertificateFile, "-key", Identity.Client(cell).KeyFile] : Array.Empty<string>()]);
        await peer.SendAsync(Encoding.ASCII.GetBytes(trial.Request));
        string output = Encoding.ASCII.GetString(await peer.FinishAsync());
        string states = await peer.ErrorsAsync();
        Match match = Agreement().Match(output);
        Assert.True(match.Success, $"{output[^Math.Min(output.Length, 200)..]} {states}");
        return new Told(
            SuiteNames.FromOpenSsl(match.Groups[2].Value),
            match.Groups[1].Value == "Reused",
            states.Contains("write certificate verify", StringComparison.Ordinal),
            output.Contains(trial.Answer, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^(New|Reused), TLSv1\.\d, Cipher is (\S+)", RegexOptions.Multiline)]
    private static partial Regex Agreement();
}
