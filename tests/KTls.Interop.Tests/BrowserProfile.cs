using System.Text.Json;

namespace KTls.Interop.Tests;

/// <summary>What a headless Chromium keeps: its settings and certificates. It trusts our root and resolves the names below ktls.test to this machine.</summary>
internal sealed class BrowserProfile
{
    private readonly string _store;

    private BrowserProfile(string home)
    {
        Home = home;
        Folder = Path.Combine(home, "profile");
        _store = Path.Combine(home, ".pki", "nssdb");
    }

    /// <summary>The browser's home folder.</summary>
    public string Home { get; }

    /// <summary>Its profile, below the home folder.</summary>
    public string Folder { get; }

    public static async Task<BrowserProfile> CreateAsync()
    {
        var profile = new BrowserProfile(Path.Combine(Scenario.Directory, Path.GetRandomFileName()));
        Directory.CreateDirectory(profile._store);
        Directory.CreateDirectory(Path.Combine(profile.Folder, "Default"));
        await RunAsync("certutil", "-N", "-d", $"sql:{profile._store}", "--empty-password");
        await RunAsync("certutil", "-A", "-d", $"sql:{profile._store}", "-n", "root", "-t", "C,,", "-i", Scenario.RootFile);
        return profile;
    }

    /// <summary>Takes in a client certificate with its key.</summary>
    public async Task ImportAsync(byte[] pkcs12, string password)
    {
        string file = Path.Combine(Home, "client.p12");
        await File.WriteAllBytesAsync(file, pkcs12);
        await RunAsync("pk12util", "-i", file, "-d", $"sql:{_store}", "-W", password);
    }

    /// <summary>Sets the user's preferences: before the browser starts.</summary>
    public Task SetPreferencesAsync(object preferences) =>
        File.WriteAllTextAsync(Path.Combine(Folder, "Default", "Preferences"), JsonSerializer.Serialize(preferences));

    /// <summary>Starts a browser with this profile.</summary>
    public PeerProcess Start(params string[] arguments) => PeerProcess.Start(
        "env",
        [
            $"HOME={Home}", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", $"--user-data-dir={Folder}",
            "--host-resolver-rules=MAP *.ktls.test 127.0.0.1", .. arguments,
        ]);

    /// <summary>Removes everything, once the browser has ended.</summary>
    public void Delete() => Directory.Delete(Home, recursive: true);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using PeerProcess process = PeerProcess.Start(program, arguments);
        await process.FinishAsync();
        Assert.True(process.ExitCode == 0, await process.ErrorsAsync());
    }
}
