using System.Globalization;
using KTls.Bench.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KTls.Bench.Sites;

/// <summary>A site under stock UseHttps and under UseKTls, in turns: the same requests of the same client.</summary>
internal sealed class SiteScenario : IScenario
{
    // An answer from memory, and files.
    private static readonly Dictionary<string, (int Size, bool IsFile, int Count)> Workloads = new()
    {
        ["100"] = (100, false, 8000),
        ["64k"] = (1 << 16, false, 3000),
        ["file-1k"] = (1 << 10, true, 6000),
        ["file-16k"] = (1 << 14, true, 4000),
        ["file-64k"] = (1 << 16, true, 3000),
        ["file-1m"] = (1 << 20, true, 400),
        ["file-16m"] = (1 << 24, true, 30),
    };

    public string Name => "site";

    public string Usage => $"site [--workloads {string.Join(',', Workloads.Keys)}] [--repetitions 7] [--percent 100] [--plane RequireKernel|UserSpace]";

    public async Task<Report> RunAsync(CommandLine options)
    {
        string[] workloads = options.TakeSome("workloads", [.. Workloads.Keys]);
        int repetitions = options.Take("repetitions", 7);
        int percent = options.Take("percent", 100);
        DataPlanePolicy plane = Enum.TryParse(options.Take("plane") ?? nameof(DataPlanePolicy.RequireKernel), out DataPlanePolicy parsed)
            ? parsed
            : throw new UsageException("--plane knows RequireKernel and UserSpace.");
        options.ExpectEnd();
        if (plane == DataPlanePolicy.RequireKernel)
        {
            MachineFacts.RequireKernelTls(Name);
        }

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions}, after one that does not count");
        report.Set("data plane", plane);
        using var folder = new FolderOfFiles();
        var files = new Dictionary<int, string>();
        foreach (int size in Workloads.Values.Where(workload => workload.IsFile).Select(workload => workload.Size))
        {
            files[size] = await folder.AddAsync(size.ToString(CultureInfo.InvariantCulture), size);
        }

        await using WebApplication stock = await StartAsync(files, isKTls: false, plane);
        await using WebApplication kernel = await StartAsync(files, isKTls: true, plane);
        using var client = new FileClient();
        for (int i = -1; i < repetitions; i++)
        {
            Progress.Tell(Name, i, repetitions);
            foreach (string workload in workloads)
            {
                (int size, bool isFile, int count) = Workloads[workload];
                count = Math.Max(1, count * percent / 100);
                Usage inStock = default;
                Usage inKernel = default;
                foreach (bool isKTls in i % 2 == 0 ? [true, false] : new[] { false, true })
                {
                    Usage used = Run(client, isKTls ? kernel : stock, isFile ? $"/file/{size}" : $"/memory/{size}", count, (long)size * count);
                    (inKernel, inStock) = isKTls ? (used, inStock) : (inKernel, used);
                }

                if (i >= 0)
                {
                    string group = $"{(isFile ? "file" : "memory")}, {size} bytes, {count} requests";
                    report.Add(group, "stock, answers", "1/s", count / inStock.Wall.TotalSeconds);
                    report.Add(group, "KTls, answers", "1/s", count / inKernel.Wall.TotalSeconds);
                    report.Add(group, "stock, server's CPU time", "µs", inStock.Cpu.TotalMicroseconds / count);
                    report.Add(group, "KTls, server's CPU time", "µs", inKernel.Cpu.TotalMicroseconds / count);
                    report.Add(group, "speed, KTls : stock", "ratio", inStock.Wall / inKernel.Wall);
                    report.Add(group, "CPU time, stock : KTls", "ratio", inStock.Cpu / inKernel.Cpu);
                }
            }
        }

        return report;
    }

    private static Usage Run(FileClient client, WebApplication site, string path, int count, long expected)
    {
        Usage before = default;
        long received = client.Run(new Uri(site.Urls.First()).Port, isTls: true, path, count, () =>
        {
            GC.Collect();
            before = KTls.Bench.Usage.Now();
        });
        Usage used = KTls.Bench.Usage.Now() - before;
        return received == expected ? used : throw new InvalidOperationException($"The client got {received} bytes, not {expected}.");
    }

    private static async Task<WebApplication> StartAsync(Dictionary<int, string> files, bool isKTls, DataPlanePolicy plane)
    {
        WebApplication site = BenchSite.Create(isKTls, plane);
        foreach ((int size, string path) in files)
        {
            site.MapGet($"/file/{size}", () => Results.File(path));
        }

        foreach (int size in Workloads.Values.Where(workload => !workload.IsFile).Select(workload => workload.Size))
        {
            byte[] content = new byte[size];
            Random.Shared.NextBytes(content);
            site.MapGet($"/memory/{size}", () => Results.Bytes(content));
        }

        await site.StartAsync();
        return site;
    }
}
