using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace KTls.Kestrel.Tests;

/// <summary>The sample KestrelSite as a process of its own, started as its README says.</summary>
internal sealed partial class RunningSite : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _log;

    private RunningSite(Process process, Uri address)
    {
        _process = process;
        _log = process.StandardOutput.ReadToEndAsync();
        Address = address;
    }

    /// <summary>For a slow machine that is busy with other tests, too.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(120);

    /// <summary>The site makes its certificate itself.</summary>
    public static SslClientAuthenticationOptions AnyCertificate => new() { RemoteCertificateValidationCallback = (_, _, _, _) => true };

    public Uri Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Who has to open what comes in: a kernel that cannot change keys does not receive (docs/FALLBACK.md).</summary>
    public static string Receiving(string sending) =>
        sending == "Kernel" && KernelTls.Probe().Ciphers.Any(cipher => cipher.Rekey is { IsAvailable: false }) ? "UserSpace" : sending;

    public static async Task<RunningSite> StartAsync(string moreArguments)
    {
        string port = FreePort();
        string arguments = Command().Match(await File.ReadAllTextAsync(Path.Combine(Sample, "README.md"))).Groups["arguments"].Value.Replace("8443", port, StringComparison.Ordinal);
        Process process = Process.Start(StartOf(arguments + moreArguments))!;
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            lines.Add(line);
            if (line.Contains("Application started", StringComparison.Ordinal))
            {
                Assert.Contains(lines, line => line.EndsWith($"Now listening on: https://127.0.0.1:{port}", StringComparison.Ordinal));
                return new RunningSite(process, new Uri($"https://127.0.0.1:{port}/"));
            }
        }

        throw new InvalidOperationException(string.Join('\n', lines));
    }

    /// <summary>Starts a site that cannot: what it says, and its exit code.</summary>
    public static async Task<(string Output, string Errors, int ExitCode)> FailAsync(string arguments)
    {
        ProcessStartInfo start = StartOf(arguments);
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (await output, await errors, process.ExitCode);
    }

    public HttpClient CreateClient(Version version) => new(new SocketsHttpHandler { SslOptions = AnyCertificate })
    {
        BaseAddress = Address, DefaultRequestVersion = version, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = Patience,
    };

    /// <summary>The site has to end as it is told to, and must have logged no error: a client that goes away is none.</summary>
    public async ValueTask DisposeAsync()
    {
        await PeerProgram.RunAsync("kill", _process.Id.ToString(CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, _process.ExitCode);
        string log = await _log;
        Assert.False(Error().IsMatch(log), log);
        _process.Dispose();
    }

    [GeneratedRegex(@"^dotnet run -c Release --project samples/KestrelSite -- (?<arguments>.+)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("^(fail|crit): ", RegexOptions.Multiline)]
    private static partial Regex Error();

    private static string Sample => Path.Combine(RepositoryRoot(), "samples", "KestrelSite");

    // What "dotnet run" would build is built already.
    private static ProcessStartInfo StartOf(string arguments) => new("dotnet", $"exec {Sample}/bin/Release/net10.0/KestrelSite.dll {arguments}") { RedirectStandardOutput = true };

    private static string RepositoryRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests have to run inside the repository.");
        }

        return folder;
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
