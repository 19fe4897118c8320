using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace KTls.Kestrel.Tests.SystemCalls;

/// <summary>This process under strace, while it serves a file: how the content leaves.</summary>
public sealed partial class KernelTests
{
    [Fact]
    public async Task A_file_leaves_by_sendfile_only()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.Equal("Kernel", await client.GetStringAsync("plane"));
        string[] calls = await TraceAsync(site.PathOf("trace"), async () =>
        {
            Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
            Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("static/file.bin"));
        });

        string[] touching = [.. calls.Where(call => call.Contains("/file.bin", StringComparison.Ordinal))];
        Assert.NotEmpty(touching);
        Assert.All(touching, call => Assert.Contains("sendfile(", call, StringComparison.Ordinal));
        long sent = calls.Where(call => call.Contains("sendfile", StringComparison.Ordinal))
            .Select(call => Result().Match(call)).Where(match => match.Success).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(2 * FileSite.Content.Length, sent);
    }

    [GeneratedRegex(@"= (\d+)$")]
    private static partial Regex Result();

    // Whoever traces may be no child of ours, so the calls of all threads are stopped at: this takes its time.
    private static async Task<string[]> TraceAsync(string file, Func<Task> action)
    {
        // -y writes the path of each descriptor beside its number.
        using var strace = Process.Start(new ProcessStartInfo("strace")
        {
            ArgumentList =
            {
                "-f", "-y", "-s", "0", "-o", file, "-e", "trace=read,pread64,readv,preadv,preadv2,mmap,sendfile,splice,copy_file_range",
                "-p", Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            },
            RedirectStandardError = true,
        })!;
        string? line = await strace.StandardError.ReadLineAsync();
        Assert.Contains("attached", line, StringComparison.Ordinal);
        Task<string> rest = strace.StandardError.ReadToEndAsync();
        await action();
        using var kill = Process.Start("kill", ["-INT", strace.Id.ToString(CultureInfo.InvariantCulture)]);
        await strace.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await rest;
        return await File.ReadAllLinesAsync(file);
    }
}
