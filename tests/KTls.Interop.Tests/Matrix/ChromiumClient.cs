using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>A headless Chromium. One page, which our server sends, makes the connections of all cells.</summary>
internal sealed class ChromiumClient : Peer
{
    public override string Name => "Chromium";

    public override bool IsClient => true;

    public override string? WhyNot(Cell cell) => cell.IsCcm ? "has no CCM" : null;

    public override async Task<IReadOnlyDictionary<Cell, string?>> TryAsync(IReadOnlyList<Cell> cells)
    {
        Trial[] trials = [.. cells.Select(cell => new Trial(cell))];
        OurServer[] servers = [.. trials.Select(trial => new OurServer(trial))];
        string[] origins = [.. trials.Zip(servers, (trial, server) => $"https://{trial.ServerName}:{server.Port}")];

        // The page itself is asked for without a body: there the head is the question.
        var pageTrial = new Trial(cells.First(cell => WhyNot(cell) is null) with { Kind = CellKind.Full }) { Question = "\r\n\r\n", Answer = Script(trials, origins) };
        await using var pageServer = new OurServer(pageTrial);
        (string page, NetLog log) = await Browser.OpenAsync($"https://{pageTrial.ServerName}:{pageServer.Port}/", origins);

        var results = new Dictionary<Cell, string?>();
        for (int i = 0; i < trials.Length; i++)
        {
            results[cells[i]] = await servers[i].MismatchAsync() ?? Tell(trials[i], servers[i].Port, page, log).Mismatch(Name, cells[i]);
            await servers[i].DisposeAsync();
        }

        return results;
    }

    // Requests that wait are made one after the other, and the page has loaded when all are done.
    private static string Script(Trial[] trials, string[] origins)
    {
        var script = new StringBuilder("""
            <!doctype html><pre id="answers"></pre><script>
            function ask(name, url, question) {
              let answer;
              try {
                const request = new XMLHttpRequest();
                request.open("POST", url, false);
                request.withCredentials = true;
                request.send(question);
                answer = request.responseText;
              } catch (e) { answer = e; }
              document.getElementById("answers").append("[" + name + "]" + answer + "[end]");
            }

            """);
        foreach ((Trial trial, string origin) in trials.Zip(origins))
        {
            for (int i = 0; i < trial.Cell.Connections; i++)
            {
                script.Append($"ask(\"{trial.ServerName}\", \"{origin}/\", `{trial.Question}`);\n");
            }
        }

        return script.Append("</script>").ToString();
    }

    private static Told Tell(Trial trial, int port, string page, NetLog log)
    {
        NetLog.Connection last = log.Connections.Last(connection => connection.Port == port);
        return new Told(
            last.Suite,
            last.Resumed,
            last.ClientCertificate,
            page.Split($"[{trial.ServerName}]{trial.Answer}[end]").Length == 1 + trial.Cell.Connections);
    }
}
