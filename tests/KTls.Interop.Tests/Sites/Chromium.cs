using System.Diagnostics;
using System.Text.Json;

namespace KTls.Interop.Tests.Sites;

/// <summary>A headless Chromium that stays, for several tests: it opens pages and keeps what they download.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private BrowserProfile? _profile;
    private PeerProcess? _process;
    private DevTools? _tools;

    private string Downloads => Path.Combine(_profile!.Home, "downloads");

    public async ValueTask InitializeAsync()
    {
        _profile = await BrowserProfile.CreateAsync();
        _process = _profile.Start("--remote-debugging-port=0");
        _tools = await DevTools.ConnectAsync(await AddressAsync());
        Directory.CreateDirectory(Downloads);
        await _tools.SendAsync("Browser.setDownloadBehavior", new { behavior = "allow", downloadPath = Downloads, eventsEnabled = true });
    }

    public async ValueTask DisposeAsync()
    {
        if (_tools is not null)
        {
            await _tools.SendAsync("Browser.close");
            await _process!.FinishAsync();
            _tools.Dispose();
            _profile!.Delete();
        }

        _process?.Dispose();
    }

    /// <summary>Opens a page, in a tab of its own, and waits until it has loaded.</summary>
    internal async Task<BrowserTab> OpenAsync(Uri address) => await BrowserTab.OpenAsync(_tools!, address);

    /// <summary>Waits for a download that a page has begun; returns its file.</summary>
    internal async Task<string> DownloadAsync(Uri address)
    {
        JsonElement begin = await _tools!.EventAsync("Browser.downloadWillBegin", begin => begin.GetProperty("url").GetString() == address.AbsoluteUri);
        string? guid = begin.GetProperty("guid").GetString();
        JsonElement end = await _tools.EventAsync(
            "Browser.downloadProgress", progress => progress.GetProperty("guid").GetString() == guid && progress.GetProperty("state").GetString() != "inProgress");
        Assert.Equal("completed", end.GetProperty("state").GetString());
        return Path.Combine(Downloads, begin.GetProperty("suggestedFilename").GetString()!);
    }

    // The browser chooses a port and writes it down, with the path below it.
    private async Task<Uri> AddressAsync()
    {
        string file = Path.Combine(_profile!.Folder, "DevToolsActivePort");
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(90); await Task.Delay(20))
        {
            if (File.Exists(file) && await File.ReadAllLinesAsync(file) is [string port, string path])
            {
                return new Uri($"ws://127.0.0.1:{port}{path}");
            }
        }

        _process!.Dispose();
        throw new InvalidOperationException($"Chromium does not start: {await _process.ErrorsAsync()}");
    }
}
