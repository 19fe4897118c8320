using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KTls.Bench;

/// <summary>What figures depend on beside the code.</summary>
internal static class MachineFacts
{
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>
    {
        ["command"] = string.Join(' ', Environment.GetCommandLineArgs()[1..]),
        ["commit"] = typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        ["time"] = DateTimeOffset.UtcNow.ToString("u"),
        ["kernel"] = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        ["processor"] = $"{ProcessorName()}, {Environment.ProcessorCount} for this process",
        ["load at start"] = File.ReadAllText("/proc/loadavg").Trim(),
        [".NET"] = RuntimeInformation.FrameworkDescription,
        ["OpenSSL"] = OpenSslVersion(),
    };

    /// <summary>Has a scenario run only where it can.</summary>
    /// <exception cref="InvalidOperationException">The kernel has no TLS.</exception>
    public static void RequireKernelTls(string scenario)
    {
        if (KernelTls.Probe().UpperLayerProtocol is { IsAvailable: false, Reason: var reason })
        {
            throw new InvalidOperationException($"The scenario {scenario} needs kernel TLS. {reason} The lab has it: docs/PERFORMANCE.md.");
        }
    }

    private static string ProcessorName() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";

    // OPENSSL_VERSION_NUMBER of OpenSSL 3: MNN00PPS.
    private static string OpenSslVersion()
    {
        long version = SafeEvpPKeyHandle.OpenSslVersion;
        return $"{version >> 28}.{(version >> 20) & 0xff}.{(version >> 4) & 0xff}";
    }
}
