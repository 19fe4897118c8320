using System.Text.Json;
using KTls.Kestrel.Tests;

namespace KTls.Interop.Tests.Sites;

/// <summary>The sample KestrelSite as a browser sees it, with a certificate that the browser verifies.</summary>
public sealed class ChromiumSiteTests(Chromium chromium) : IClassFixture<Chromium>
{
    // The size of the file that the page offers.
    private const int Offered = 64;

    [Fact]
    public async Task A_page_with_all_that_it_has_comes_over_HTTP_2()
    {
        await using RunningSite site = await StartAsync(string.Empty);
        await using BrowserTab tab = await OpenAsync(site, "HTTP/2", "h2");
        await DownloadAsync(site, tab, 8);
    }

    [Fact]
    public async Task A_page_comes_over_HTTP_1_1_and_its_download_by_sendfile()
    {
        await using RunningSite site = await StartAsync(" --Kestrel:EndpointDefaults:Protocols Http1");
        await using BrowserTab tab = await OpenAsync(site, "HTTP/1.1", "http/1.1");
        string[] calls = await Strace.FollowAsync(site.ProcessId, Path.Combine(Scenario.Directory, "site.trace"), () => DownloadAsync(site, tab, Offered));
        Strace.AssertLeavesBySendFile(calls, $"/{Offered}.bin", (long)Offered << 20);
    }

    private static Task<RunningSite> StartAsync(string moreArguments) => RunningSite.StartAsync(
        $" --Kestrel:Certificates:Default:Path {Scenario.CertificateFile} --Kestrel:Certificates:Default:KeyPath {Scenario.KeyFile}{moreArguments}");

    // The name that the certificate is for.
    private static Uri AddressOf(RunningSite site, string path = "") => new UriBuilder(site.Address) { Host = "localhost", Path = path }.Uri;

    private async Task<BrowserTab> OpenAsync(RunningSite site, string http, string protocol)
    {
        // Before its first connection the site tries out what the kernel can, as we do here, and the kernel counts that, too.
        string receiving = RunningSite.Receiving("Kernel");
        using (var client = new HttpClient(new SocketsHttpHandler { SslOptions = TestPki.Client() }))
        {
            await client.GetStringAsync(AddressOf(site));
        }

        TlsStatistics before = TlsStatistics.Read()!;
        BrowserTab tab = await chromium.OpenAsync(AddressOf(site));
        ShownPage page = (await tab.EvaluateAsync(ShownPage.Script)).Deserialize<ShownPage>(JsonSerializerOptions.Web)!;
        TlsStatistics after = TlsStatistics.Read()!;

        Assert.Equal(("Kernel", receiving), (page.Sending, page.Receiving));
        Assert.True(after.TransmitSoftware > before.TransmitSoftware);
        Assert.Equal(receiving == "Kernel", after.ReceiveSoftware > before.ReceiveSoftware);

        Assert.Equal((http, "Tls13", "echoes"), (page.Http, page.Tls, page.Socket));
        Assert.NotEqual(0, page.ImageWidth);
        Assert.Equal([$"/ {protocol}", $"/connection {protocol}", $"/lock.svg {protocol}", $"/site.css {protocol}", $"/site.js {protocol}"], page.Resources);

        // The browser has to have seen what the site says.
        JsonElement security = (await tab.ResponseAsync(AddressOf(site, "api/connection"))).GetProperty("securityDetails");
        Assert.Equal("TLS 1.3", security.GetProperty("protocol").GetString());
        Assert.StartsWith($"TLS_{security.GetProperty("cipher").GetString()}_", page.CipherSuite, StringComparison.Ordinal);
        Assert.Equal("X25519MLKEM768", security.GetProperty("keyExchangeGroup").GetString());
        Assert.Equal("X25519MLKem768", page.Group);
        Assert.Equal("KTls test root", security.GetProperty("issuer").GetString());
        return tab;
    }

    // Each byte is the number of its mebibyte.
    private async Task DownloadAsync(RunningSite site, BrowserTab tab, int mebibytes)
    {
        await tab.EvaluateAsync($"""const link = document.getElementById("download"); link.href = link.href.replace("/{Offered}", "/{mebibytes}"); link.click();""");
        string path = await chromium.DownloadAsync(AddressOf(site, $"download/{mebibytes}"));
        await using (FileStream file = File.OpenRead(path))
        {
            Assert.Equal((long)mebibytes << 20, file.Length);
            byte[] mebibyte = new byte[1 << 20];
            for (int i = 0; i < mebibytes; i++)
            {
                await file.ReadExactlyAsync(mebibyte);
                Assert.Equal(-1, mebibyte.AsSpan().IndexOfAnyExcept((byte)i));
            }
        }

        File.Delete(path);
    }
}
