using System.Globalization;
using KTls.Bench.Files;

namespace KTls.Bench.Scale;

/// <summary>What a byte costs as files grow.</summary>
internal sealed class BytesScenario : IScenario
{
    private static readonly Dictionary<string, long> Sizes = new()
    {
        ["1k"] = 1L << 10, ["16k"] = 1L << 14, ["256k"] = 1L << 18, ["1m"] = 1L << 20, ["16m"] = 1L << 24, ["256m"] = 1L << 28, ["1g"] = 1L << 30,
    };

    public string Name => "scale-bytes";

    public string Usage => $"scale-bytes [--sizes {string.Join(',', Sizes.Keys)}] [--megabytes 1024] [--requests 5000] [--repetitions 5]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        string[] sizes = options.TakeSome("sizes", [.. Sizes.Keys]);
        long bytes = (long)options.Take("megabytes", 1024) << 20;
        int most = options.Take("requests", 5000);
        int repetitions = options.Take("repetitions", 5);
        options.ExpectEnd();
        MachineFacts.RequireKernelTls(Name);

        var report = new Report(Name) { Axis = "bytes of a file" };
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("requests", $"so many that {bytes >> 20} MiB are sent, but no more than {most}");
        using var folder = new FolderOfFiles();
        foreach (string size in sizes)
        {
            await folder.AddAsync(size, Sizes[size]);
        }

        using IFileServer server = new OwnFileServer(OwnFileServerKind.KTlsSendFile, folder.Path);
        using var client = new FileClient();
        for (int i = -1; i < repetitions; i++)
        {
            Progress.Tell(Name, i, repetitions);
            foreach (string size in i % 2 == 0 ? sizes : sizes.Reverse())
            {
                int count = (int)Math.Clamp(bytes / Sizes[size], 1, most);
                FileRun used = FileRun.Of(client, server, $"/{size}", Sizes[size], count);
                if (i < 0)
                {
                    continue;
                }

                string group = Sizes[size].ToString(CultureInfo.InvariantCulture);
                double megabytes = Sizes[size] * (double)count / 1e6;
                report.Add(group, "KTls sendfile, server's CPU time per MB", "µs", used.Server.TotalMicroseconds / megabytes);
                report.Add(group, "KTls sendfile, server's CPU time per file", "µs", used.Server.TotalMicroseconds / count);
                report.Add(group, "KTls sendfile, speed", "MB/s", megabytes / used.Wall.TotalSeconds);
            }
        }

        return report;
    }
}
