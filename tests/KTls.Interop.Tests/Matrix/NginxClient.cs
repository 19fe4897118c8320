using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>nginx as a reverse proxy: a client of ours on behalf of another, who speaks plain HTTP.</summary>
internal sealed partial class NginxClient : ClientPeer
{
    public override string Name => "nginx";

    protected override async Task<Told> ConnectAsync(Trial trial, int port)
    {
        Cell cell = trial.Cell;
        int outer = Scenario.FreePort();
        Identity client = Identity.Client(cell);
        string certificate = cell.Kind == CellKind.Mutual ? $"proxy_ssl_certificate {client.CertificateFile}; proxy_ssl_certificate_key {client.KeyFile};" : string.Empty;
        using NginxProcess process = await NginxProcess.StartAsync(trial, outer, _ => $$"""
            server {
                listen 127.0.0.1:{{outer}};
                location / {
                    proxy_pass https://127.0.0.1:{{port}};
                    proxy_ssl_name {{trial.ServerName}};
                    proxy_ssl_server_name on;
                    proxy_ssl_verify on;
                    proxy_ssl_trusted_certificate {{Scenario.RootFile}};
                    proxy_ssl_session_reuse on;
                    {{NginxServer.Choose(cell, "proxy_")}}
                    {{certificate}}
                }
            }
            """);
        using var http = new HttpClient();
        string answer = string.Empty;
        for (int i = 0; i < cell.Connections; i++)
        {
            using HttpResponseMessage response = await http.PostAsync(new Uri($"http://127.0.0.1:{outer}/"), new StringContent(trial.Question)).WaitAsync(OurEnd.Patience);
            answer = await response.Content.ReadAsStringAsync();
        }

        // It says nothing of its certificate; we have verified it.
        string log = await process.WaitForFileAsync("error.log", text => Agreement().Count(text) >= cell.Connections);
        string last = log[Agreement().Matches(log)[^1].Index..];
        return new Told(SuiteNames.FromOpenSsl(Agreement().Match(last).Groups[1].Value), last.Contains("SSL reused session", StringComparison.Ordinal), null, answer == trial.Answer);
    }

    [GeneratedRegex(@"SSL: TLSv1\.\d, cipher: ""(\S+) ")]
    private static partial Regex Agreement();
}
