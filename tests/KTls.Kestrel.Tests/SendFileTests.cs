using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;

namespace KTls.Kestrel.Tests;

/// <summary>Answers that are files, or parts of some: stock UseHttps and UseKTls send the same bytes.</summary>
public sealed class SendFileTests
{
    public static TheoryData<bool> Servers => [false, true];

    public static TheoryData<bool, string> ServersAndVersions => SiteTests.ServersAndVersions;

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task A_file_comes_whole_and_the_connection_is_kept(bool isKTls, string version)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(Version.Parse(version));
        string connection = await client.GetStringAsync("connection");
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
        Assert.Equal("small", await client.GetStringAsync("small"));
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("static/file.bin"));
        Assert.Equal(connection, await client.GetStringAsync("connection"));
        Assert.Equal(isKTls && version == "1.1" ? 2 : 0, site.FilesSent);
    }

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task Ranges_come_as_asked_for(bool isKTls, string version)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(Version.Parse(version));
        int end = FileSite.Content.Length;
        foreach ((long? from, long? to, Range expected) in (IEnumerable<(long?, long?, Range)>)
            [(0, 0, 0..1), (100, 199_999, 100..200_000), (null, 5, (end - 5)..end), (end - 1, null, (end - 1)..end), (16_384, 1_000_000_000, 16_384..end)])
        {
            foreach (string path in (string[])["file", "static/file.bin"])
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path) { Version = client.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                request.Headers.Range = new RangeHeaderValue(from, to);
                using HttpResponseMessage response = await client.SendAsync(request);
                Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
                Assert.Equal(FileSite.Content[expected], await response.Content.ReadAsByteArrayAsync());
                Assert.Equal(expected.Start.Value, response.Content.Headers.ContentRange!.From);
            }
        }

        // The small ones are copied.
        Assert.Equal(isKTls && version == "1.1" ? 4 : 0, site.FilesSent);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Head_has_the_length_and_no_body(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);

        // The last one goes through SendFileAsync on the server.
        foreach ((string path, long length) in (IEnumerable<(string, long)>)[("/file", FileSite.Content.Length), ("/static/file.bin", FileSite.Content.Length), ("/sent/text.txt?length=100000", 100_000)])
        {
            await client.GetAsync(path, "HEAD");
            Assert.Contains($"Content-Length: {length}\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        }

        await client.GetAsync("/small");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_reads_no_file()
    {
        const long Length = 3L << 30;
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        long before = GC.GetTotalAllocatedBytes();
        await client.GetAsync($"/sent/large.bin?length={Length}", "HEAD");
        Assert.Contains($"Content-Length: {Length}\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await client.GetAsync("/small");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 4 << 20);
    }

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task Bytes_before_between_and_after_files_keep_their_places(bool isKTls, string version)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(Version.Parse(version));
        byte[] body = [.. "begin"u8, .. FileSite.Content.AsSpan(1_000, 200_000), .. FileSite.Content.AsSpan(7, 100_000), .. "end.."u8];
        Assert.Equal(body, await client.GetByteArrayAsync("between"));
        Assert.Equal(body, await client.GetByteArrayAsync("between"));
        byte[] behind = [.. new byte[300_000], .. FileSite.Content];
        Assert.Equal(behind, await client.GetByteArrayAsync("behind"));
        Assert.Equal(isKTls && version == "1.1" ? 5 : 0, site.FilesSent);

        // Kestrel keeps what comes while a write is under way; then the file goes that way, too.
        Assert.Equal(behind, await client.GetByteArrayAsync("unawaited"));
    }

    /// <summary>An application's mistake, for which stock HTTPS mixes the bytes of both.</summary>
    [Fact]
    public async Task A_file_that_does_not_wait_for_another_comes_after_it()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        byte[] twice = [.. FileSite.Content, .. FileSite.Content];
        Assert.Equal(twice, await client.GetByteArrayAsync("twice"));

        // The second one, too, if the first one is out before it begins.
        Assert.InRange(site.FilesSent, 1, 2);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Requests_that_come_together_are_answered_in_order(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        (string Path, byte[] Body)[] requests = [("/sent/text.txt?length=5&count=5", "aaaaa"u8.ToArray()), ("/file", FileSite.Content), ("/file", FileSite.Content), ("/sent/text.txt?length=1&count=1", "a"u8.ToArray())];
        await client.SendAsync(string.Concat(requests.Select(request => $"GET {request.Path} HTTP/1.1\r\nHost: localhost\r\n\r\n")));
        foreach ((string _, byte[] body) in requests)
        {
            Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync(), StringComparison.Ordinal);
            Assert.Equal(body, await client.ReadAsync(body.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_file_behind_links_goes_the_same_way(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        File.CreateSymbolicLink(site.PathOf("link"), "file.bin");
        File.CreateSymbolicLink(site.PathOf("second"), site.PathOf("link"));
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync($"sent/second?length={FileSite.Content.Length}"));
        Assert.Equal(isKTls ? 1 : 0, site.FilesSent);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Without_a_length_it_is_chunked(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        using HttpResponseMessage response = await client.GetAsync("sent/file.bin");
        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.Equal(FileSite.Content, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("sent/file.bin"));
        Assert.Equal(0, site.FilesSent);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_file_shorter_than_the_answer_ends_the_connection(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/sent/text.txt?length=100001");
        Assert.Contains("Content-Length: 100001\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal(100_000, await client.CountToEndAsync(200_000));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_file_longer_than_the_answer_is_an_error(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        using HttpResponseMessage small = await client.GetAsync("sent/text.txt?length=10");
        Assert.Equal(HttpStatusCode.InternalServerError, small.StatusCode);

        // A buffer's worth fits here, and then there is no way back.
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("sent/text.txt?length=99999"));
        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_file_for_which_too_little_room_is_left_is_an_error(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using RawClient client = await RawClient.ConnectAsync(site.Site);
        await client.GetAsync("/over");
        Assert.Contains($"Content-Length: {FileSite.Content.Length}\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.InRange(await client.CountToEndAsync(2 * FileSite.Content.Length), 5, FileSite.Content.Length - 1);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task An_empty_file_is_an_empty_body(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        string connection = await client.GetStringAsync("connection");
        Assert.Empty(await client.GetByteArrayAsync("empty"));
        Assert.Empty(await client.GetByteArrayAsync("static/empty.bin"));
        Assert.Empty(await client.GetByteArrayAsync("sent/empty.bin?length=0"));
        Assert.Empty(await client.GetByteArrayAsync("sent/file.bin?length=0&count=0"));
        Assert.Equal(connection, await client.GetStringAsync("connection"));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Wrong_arguments_are_errors(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        foreach (string wrong in (string[])["text.txt?length=9&offset=-1", "text.txt?length=9&offset=100001", "text.txt?length=9&count=100001", "text.txt?length=9&count=-1", "missing?length=9"])
        {
            using HttpResponseMessage response = await client.GetAsync("sent/" + wrong);
            Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        }

        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_compressed_answer_is_compressed(bool isKTls)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using HttpResponseMessage text = await client.GetAsync("compressed/text.txt");
        Assert.Equal(["gzip"], text.Content.Headers.ContentEncoding);
        await using var gzip = new System.IO.Compression.GZipStream(await text.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        Assert.Equal(new string('a', 100_000), await new StreamReader(gzip).ReadToEndAsync());
        Assert.Equal(0, site.FilesSent);

        // What is not worth compressing takes the way of other files.
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("compressed/file.bin"));
        Assert.Equal(isKTls ? 1 : 0, site.FilesSent);
    }

    [Fact]
    public async Task A_plain_endpoint_sends_files_as_stock_does()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true);
        using var plain = new HttpClient { BaseAddress = new Uri(site.Site.Addresses[1]) };
        Assert.Equal(FileSite.Content, await plain.GetByteArrayAsync("file"));
        Assert.Equal(0, site.FilesSent);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task Where_the_kernel_does_not_seal_files_go_the_same_way(DataPlanePolicy dataPlane)
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true, dataPlane: dataPlane);
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.Equal(dataPlane.ToString(), await client.GetStringAsync("plane"));
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
        Assert.Equal("small", await client.GetStringAsync("small"));
        Assert.Equal(1, site.FilesSent);
    }

    [Fact]
    public async Task A_connection_middleware_that_wants_the_bytes_gets_them()
    {
        await using FileSite site = await FileSite.StartAsync(isKTls: true, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseKTls(Site.Certificate).UseConnectionLogging()));
        using HttpClient client = site.Site.CreateClient(HttpVersion.Version11);
        Assert.NotEqual("stock", await client.GetStringAsync("plane"));
        Assert.Equal(FileSite.Content, await client.GetByteArrayAsync("file"));
        Assert.Equal(0, site.FilesSent);
    }
}
