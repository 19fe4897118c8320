using System.Net;
using KTls.Tests;

namespace KTls.Kestrel.Tests.SystemCalls;

/// <summary>This process under strace, while it serves a file: how the content leaves.</summary>
public sealed class KernelTests
{
    [Fact]
    public async Task A_file_leaves_by_sendfile_only()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.Equal("Kernel", await client.GetStringAsync("plane"));

        // Whoever traces may be no child of ours, so the calls of all threads are stopped at: this takes its time.
        string[] calls = await Strace.FollowAsync(Environment.ProcessId, site.PathOf("trace"), async () =>
        {
            Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
            Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("static/file.bin"));
        });
        Strace.AssertLeavesBySendFile(calls, "/file.bin", 2 * FileSite.Content.Length);
    }
}
