using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Win32.SafeHandles;

namespace KTls.Kestrel.Tests;

/// <summary>Files whose sending ends early: stock UseHttps and UseKTls leave no client in doubt that bytes are missing.</summary>
public sealed class SendFileEndsTests
{
    private const long Large = 3L << 30;

    public static TheoryData<bool> Servers => [false, true];

    /// <summary>Of the smaller file Kestrel has counted nearly all by then.</summary>
    [Theory]
    [InlineData(false, "large.bin")]
    [InlineData(true, "large.bin")]
    [InlineData(false, "medium.bin")]
    [InlineData(true, "medium.bin")]
    public async Task A_client_that_goes_away_ends_it(bool isKTls, string file)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync($"/outcome/{file}");
        await client.ReadHeadAsync();
        await client.ReadAsync(100_000);
        client.Reset();
        Assert.Equal("returned, aborted", Outcome(site));
        await AssertServesAsync(site);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_that_goes_away_after_the_last_byte_aborts_nothing(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/outcome/file.bin?patience=0.7");
        await client.ReadHeadAsync();
        Assert.Equal(FileSite.Content, await client.ReadAsync(FileSite.Content.Length));
        client.Dispose();
        Assert.Equal("returned", Outcome(site));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_cancellation_ends_it(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/outcome/large.bin?cancellable=true");
        await client.ReadHeadAsync();
        await client.ReadAsync(100_000);
        await site.Cancellation.CancelAsync();

        // Stock ends the connection now or when the request ends, depending on whether a write was under way.
        Assert.StartsWith(isKTls ? "cancelled, aborted" : "cancelled", Outcome(site), StringComparison.Ordinal);
        Assert.InRange(await client.CountToEndAsync(Large), 0, Large / 2);
        await AssertServesAsync(site);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_cancellation_does_not_wait_for_what_stands_before_the_file(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/outcome/large.bin?cancellable=true&before=33554432");
        await client.ReadHeadAsync();
        await site.Cancellation.CancelAsync();
        Assert.StartsWith("cancelled", Outcome(site), StringComparison.Ordinal);
        Assert.InRange(await client.CountToEndAsync(Large), 0, Large / 2);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_file_that_becomes_shorter_is_no_answer(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync($"/sent/large.bin?length={Large}");
        Assert.Contains($"Content-Length: {Large}\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await client.ReadAsync(100_000);

        // Somewhere in a page, and behind it what the server has sent by now.
        using (FileStream file = new(site.PathOf("large.bin"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength((16 << 20) + 1_234);
        }

        Assert.InRange(await client.CountToEndAsync(Large), 0, (16 << 20) + 1_234);
        await AssertServesAsync(site);
    }

    /// <summary>A disk that fails must not look like a client that went away: that is no error.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task A_file_that_cannot_be_read_any_more_is_an_error(DataPlanePolicy? dataPlane)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true, dataPlane: dataPlane);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/outcome/large.bin");
        await client.ReadHeadAsync();
        await client.ReadAsync(100_000);
        BreakDescriptor(site.PathOf("large.bin"));
        Assert.InRange(await client.CountToEndAsync(Large), 0, Large / 2);
        Assert.Equal("failed, aborted", Outcome(site));
        await AssertServesAsync(site);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_that_takes_nothing_is_sent_away(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls, kestrel => kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 1e9, gracePeriod: TimeSpan.FromSeconds(1.5)));
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/outcome/large.bin");
        Assert.Equal("returned, aborted", Outcome(site));
        await AssertServesAsync(site);
    }

    [Fact]
    public async Task A_client_that_takes_it_slowly_gets_it()
    {
        // The first bytes that the client leaves alone exceed the grace period; the rate lets it go on.
        await using FileSite site = await FileSite.StartAsync(isKTls: true, kestrel => kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 100_000, gracePeriod: TimeSpan.FromSeconds(1.1)));
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync($"/sent/large.bin?length=8000000&count=8000000");
        await client.ReadHeadAsync();
        await Task.Delay(1_500);
        Assert.Equal(new byte[8_000_000], await client.ReadAsync(8_000_000));
    }

    [Fact]
    public async Task A_large_file_takes_no_memory()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        long before = GC.GetTotalAllocatedBytes();
        await client.GetAsync($"/outcome/large.bin");
        await client.ReadHeadAsync();
        await client.ReadAsync(1 << 20);
        Assert.Equal(1, site.FilesSent);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 << 20);
        client.Reset();
        Outcome(site);
    }

    // The descriptor that the server reads from cannot be read from now on: it becomes one of the same file for writing alone.
    private static void BreakDescriptor(string path)
    {
        string descriptor = Directory.GetFiles("/proc/self/fd").Single(link => new FileInfo(link).LinkTarget == path);
        using SafeFileHandle writer = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        Assert.NotEqual(-1, Duplicate((int)writer.DangerousGetHandle(), int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture)));
    }

    [DllImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static extern int Duplicate(int from, int to);

    private static string Outcome(FileSite site) => site.Outcomes.TryTake(out string? outcome, TimeSpan.FromSeconds(20)) ? outcome : "none";

    private static async Task AssertServesAsync(FileSite site)
    {
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
    }
}
