namespace KTls.Bench.Files;

/// <summary>Files over connections that are kept: ours, and what somebody would use instead, in turns, with the same client.</summary>
internal sealed class FileScenario : IScenario
{
    private static readonly Dictionary<string, (int Size, int Count)> Sizes = new()
    {
        ["16k"] = (1 << 14, 4000),
        ["1m"] = (1 << 20, 400),
        ["256m"] = (1 << 28, 4),
    };

    private static readonly Dictionary<string, Func<string, IFileServer>> Servers = new()
    {
        ["ktls-sendfile"] = folder => new OwnFileServer(OwnFileServerKind.KTlsSendFile, folder),
        ["ktls-write"] = folder => new OwnFileServer(OwnFileServerKind.KTlsWrite, folder),
        ["sslstream"] = folder => new OwnFileServer(OwnFileServerKind.SslStream, folder),
        ["ktls-kestrel"] = folder => new OwnFileServer(OwnFileServerKind.KTlsKestrel, folder),
        ["kestrel"] = folder => new OwnFileServer(OwnFileServerKind.Kestrel, folder),
        ["nginx-ktls"] = folder => ForeignServer.Nginx(isKernel: true, folder),
        ["nginx"] = folder => ForeignServer.Nginx(isKernel: false, folder),
        ["openssl"] = ForeignServer.OpenSsl,
        ["plain"] = folder => new OwnFileServer(OwnFileServerKind.Plain, folder),
    };

    public string Name => "file";

    public string Usage => $"file [--sizes {string.Join(',', Sizes.Keys)}] [--servers {string.Join(',', Servers.Keys)}] [--repetitions 7] [--percent 100]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        string[] sizes = options.TakeSome("sizes", [.. Sizes.Keys]);
        string[] names = options.TakeSome("servers", [.. Servers.Keys]);
        int repetitions = options.Take("repetitions", 7);
        int percent = options.Take("percent", 100);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        using var folder = new FolderOfFiles();
        var servers = new List<IFileServer>();
        try
        {
            foreach (string size in sizes)
            {
                await folder.AddAsync(size, Sizes[size].Size);
            }

            servers.AddRange(names.Select(name => Servers[name](folder.Path)));
            using var client = new FileClient();
            for (int i = -1; i < repetitions; i++)
            {
                Progress.Tell(Name, i, repetitions);
                foreach (string size in sizes)
                {
                    (int bytes, int count) = Sizes[size];
                    count = Math.Max(1, count * percent / 100);
                    var used = new Dictionary<IFileServer, FileRun>();
                    foreach (IFileServer server in i % 2 == 0 ? servers : Enumerable.Reverse(servers))
                    {
                        used[server] = FileRun.Of(client, server, $"/{size}", bytes, count);
                    }

                    if (i >= 0)
                    {
                        Add(report, $"{size}, {count} requests", used, servers, (double)bytes * count / 1e9, count);
                    }
                }
            }
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
        }

        return report;
    }

    private static void Add(Report report, string group, Dictionary<IFileServer, FileRun> used, List<IFileServer> servers, double gigabytes, int count)
    {
        foreach (IFileServer server in servers)
        {
            FileRun one = used[server];
            report.Add(group, $"{server.Name}, speed", "MB/s", gigabytes * 1000 / one.Wall.TotalSeconds);
            report.Add(group, $"{server.Name}, server's CPU time per GB", "s", one.Server.TotalSeconds / gigabytes);
            report.Add(group, $"{server.Name}, server's CPU time per request", "µs", one.Server.TotalMicroseconds / count);
            report.Add(group, $"{server.Name}, client's CPU time per GB", "s", one.Client.TotalSeconds / gigabytes);
        }

        IFileServer first = servers[0];
        foreach (IFileServer other in servers.Skip(1))
        {
            report.Add(group, $"{first.Name} : {other.Name}, speed", "ratio", used[other].Wall / used[first].Wall);
            report.Add(group, $"{first.Name} : {other.Name}, server's CPU time", "ratio", used[first].Server / used[other].Server);
        }
    }
}
