using System.Text;
using System.Text.Json;

namespace KTls.Interop.Tests.Matrix;

/// <summary>A headless Chromium with a profile of its own: trusts our root, has a client certificate, and resolves all names to this machine.</summary>
internal static class Browser
{
    /// <summary>Opens a page.</summary>
    /// <param name="url">The page.</param>
    /// <param name="asking">The servers that may have the client certificate, as origins.</param>
    /// <returns>The page as it is when it has loaded, and the log of the connections.</returns>
    public static async Task<(string Page, NetLog Log)> OpenAsync(string url, IEnumerable<string> asking)
    {
        string home = Path.Combine(Scenario.Directory, Path.GetRandomFileName());
        string store = Path.Combine(home, ".pki", "nssdb");
        string profile = Path.Combine(home, "profile");
        string log = Path.Combine(home, "net.log");
        Directory.CreateDirectory(store);
        Directory.CreateDirectory(Path.Combine(profile, "Default"));
        await RunAsync("certutil", "-N", "-d", $"sql:{store}", "--empty-password");
        await RunAsync("certutil", "-A", "-d", $"sql:{store}", "-n", "root", "-t", "C,,", "-i", Scenario.RootFile);
        foreach (Identity client in Identity.Clients)
        {
            string file = Path.Combine(home, "client.p12");
            await File.WriteAllBytesAsync(file, client.ExportPkcs12("password"));
            await RunAsync("pk12util", "-i", file, "-d", $"sql:{store}", "-W", "password");
        }

        // Without this a server that asks for a certificate would be asked about by a window.
        var select = new { setting = new { filters = new[] { new { } } } };
        var preferences = new { profile = new { content_settings = new { exceptions = new { auto_select_certificate = asking.ToDictionary(origin => $"{origin},*", _ => select) } } } };
        await File.WriteAllTextAsync(Path.Combine(profile, "Default", "Preferences"), JsonSerializer.Serialize(preferences));
        using PeerProcess process = PeerProcess.Start(
            "env", $"HOME={home}", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", $"--user-data-dir={profile}", $"--log-net-log={log}",
            "--host-resolver-rules=MAP *.ktls.test 127.0.0.1", "--dump-dom", url);
        string page = Encoding.UTF8.GetString(await process.FinishAsync());
        Assert.True(page.Length != 0, await process.ErrorsAsync());
        NetLog connections = await NetLog.ReadAsync(log);
        Directory.Delete(home, recursive: true);
        return (page, connections);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using PeerProcess process = PeerProcess.Start(program, arguments);
        await process.FinishAsync();
        Assert.True(process.ExitCode == 0, await process.ErrorsAsync());
    }
}
