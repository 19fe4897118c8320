using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>A headless Chromium that has client certificates.</summary>
internal static class Browser
{
    /// <summary>Opens a page.</summary>
    /// <param name="url">The page.</param>
    /// <param name="asking">The servers that may have the client certificate, as origins.</param>
    /// <returns>The page as it is when it has loaded, and the log of the connections.</returns>
    public static async Task<(string Page, NetLog Log)> OpenAsync(string url, IEnumerable<string> asking)
    {
        BrowserProfile profile = await BrowserProfile.CreateAsync();
        foreach (Identity client in Identity.Clients)
        {
            await profile.ImportAsync(client.ExportPkcs12("password"), "password");
        }

        // Without this a server that asks for a certificate would be asked about by a window.
        var select = new { setting = new { filters = new[] { new { } } } };
        await profile.SetPreferencesAsync(
            new { profile = new { content_settings = new { exceptions = new { auto_select_certificate = asking.ToDictionary(origin => $"{origin},*", _ => select) } } } });
        string log = Path.Combine(profile.Home, "net.log");
        using PeerProcess process = profile.Start($"--log-net-log={log}", "--dump-dom", url);
        string page = Encoding.UTF8.GetString(await process.FinishAsync());
        Assert.True(page.Length != 0, await process.ErrorsAsync());
        NetLog connections = await NetLog.ReadAsync(log);
        profile.Delete();
        return (page, connections);
    }
}
