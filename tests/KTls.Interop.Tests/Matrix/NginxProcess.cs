using System.Diagnostics;

namespace KTls.Interop.Tests.Matrix;

/// <summary>nginx with a configuration and a folder of its own.</summary>
internal sealed class NginxProcess : IDisposable
{
    private readonly PeerProcess _process;

    private NginxProcess(PeerProcess process, string folder)
    {
        _process = process;
        Folder = folder;
    }

    public string Folder { get; }

    /// <summary>Starts it with the directives of the http block, and waits until it listens on a port.</summary>
    public static async Task<NginxProcess> StartAsync(Trial trial, int port, Func<string, string> http)
    {
        string folder = Path.Combine(Scenario.Directory, $"nginx-{trial.ServerName}");
        Directory.CreateDirectory(folder);
        string temporary = string.Join('\n', new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(name => $"{name}_temp_path {folder}/{name};"));
        string file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, $$"""
            daemon off;
            master_process off;
            pid {{folder}}/pid;
            error_log {{folder}}/error.log debug;
            events { }
            http {
            access_log off;
            client_body_buffer_size 64k;
            {{temporary}}
            {{http(folder)}}
            }
            """);
        var process = new NginxProcess(PeerProcess.Start("nginx", "-p", folder, "-c", file, "-e", $"{folder}/error.log"), folder);
        await process._process.WaitForPortAsync(port);
        return process;
    }

    /// <summary>Waits until a file that it writes fulfils a condition; returns its content.</summary>
    public async Task<string> WaitForFileAsync(string name, Func<string, bool> condition)
    {
        string text = string.Empty;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < OurEnd.Patience)
        {
            string file = Path.Combine(Folder, name);
            text = File.Exists(file) ? await File.ReadAllTextAsync(file) : string.Empty;
            if (condition(text))
            {
                return text;
            }

            await Task.Delay(10);
        }

        throw new InvalidOperationException($"nginx did not write what was expected to {name}: {text}");
    }

    public void Dispose()
    {
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
