using System.Globalization;

namespace KTls.Interop.Tests.Matrix;

/// <summary>nginx as a server. It passes the request on to itself: only then does it have the body to log.</summary>
internal sealed class NginxServer : ServerPeer
{
    public override string Name => "nginx";

    /// <summary>The directives that leave only the version and suite of a cell.</summary>
    public static string Choose(Cell cell, string prefix = "") => cell.IsTls13
        ? $"{prefix}ssl_protocols TLSv1.3; {prefix}ssl_conf_command Ciphersuites {cell.Suite};"
        : $"{prefix}ssl_protocols TLSv1.2; {prefix}ssl_ciphers {SuiteNames.OpenSsl(cell.Suite)};";

    protected override async Task<RunningServer> StartAsync(Trial trial)
    {
        Cell cell = trial.Cell;
        int port = Scenario.FreePort();
        int inner = Scenario.FreePort();
        string verify = cell.Kind == CellKind.Mutual ? $"ssl_verify_client on; ssl_client_certificate {Scenario.RootFile};" : string.Empty;

        // A parameter is at most 4096 bytes long.
        string[] answer = [.. trial.Answer.Chunk(1024).Select(piece => new string(piece))];
        NginxProcess process = await NginxProcess.StartAsync(trial, port, folder => $$"""
            log_format told '$ssl_cipher|$ssl_session_reused|$ssl_client_verify|$ssl_client_s_dn|$request_body|';
            ssl_session_cache shared:sessions:1m;
            server {
                listen 127.0.0.1:{{port}} ssl;
                ssl_certificate {{Identity.Server(cell).CertificateFile}};
                ssl_certificate_key {{Identity.Server(cell).KeyFile}};
                {{Choose(cell)}}
                {{verify}}
                location / { proxy_pass http://127.0.0.1:{{inner}}; access_log {{folder}}/told told; }
            }
            server {
                listen 127.0.0.1:{{inner}};
                {{string.Concat(answer.Select((piece, i) => $"set $answer{i} '{piece}';\n"))}}
                location / { return 200 '{{string.Concat(answer.Select((_, i) => $"$answer{i}"))}}'; }
            }
            """);
        return new Running(trial, port, process);
    }

    private sealed class Running(Trial trial, int port, NginxProcess process) : RunningServer(trial, port)
    {
        public override async Task<Told> TellAsync()
        {
            string log = await process.WaitForFileAsync("told", text => text.Count(c => c == '\n') == Trial.Cell.Connections);
            string[] told = log.TrimEnd('\n').Split('\n')[^1].Split('|');
            return new Told(
                SuiteNames.FromOpenSsl(told[0]),
                told[1] == "r",
                told[2] == "SUCCESS" && told[3] == $"CN={Identity.ClientName}",
                told[4].Replace("\\x0A", "\n", true, CultureInfo.InvariantCulture) == Trial.Question);
        }

        public override ValueTask DisposeAsync()
        {
            process.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
