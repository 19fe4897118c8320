using System.Globalization;
using System.Security.Authentication;
using System.Text;

namespace KTls;

/// <summary>What the running kernel can do for TLS, as <see cref="KernelTls.Probe"/> found it.</summary>
public sealed record KernelTlsCapabilities
{
    private const int NameWidth = 46;
    private const int CellWidth = 16;

    internal KernelTlsCapabilities()
    {
    }

    /// <summary>The kernel's own name and version, for people: nothing is decided by it, because distributions carry changes back.</summary>
    public string Kernel { get; } =
        OperatingSystem.IsLinux() ? $"Linux {Environment.OSVersion.Version}" : Environment.OSVersion.VersionString;

    /// <summary>Whether there is kernel TLS at all.</summary>
    public bool IsAvailable => UpperLayerProtocol.IsAvailable;

    /// <summary>Whether "tls" can be attached to a TCP socket (TCP_ULP): the module is there.</summary>
    public required KernelFeature UpperLayerProtocol { get; init; }

    /// <summary>Each cipher of KTls in each version of TLS; empty without kernel TLS.</summary>
    public required IReadOnlyList<KernelCipherSupport> Ciphers { get; init; }

    /// <summary>Whether the kernel can be told that records carry no padding, and then opens them straight into the reader's buffer (TLS_RX_EXPECT_NO_PAD, Linux 6.0).</summary>
    public required KernelFeature ExpectNoPadding { get; init; }

    /// <summary>Whether a network device that seals may take a file's pages without a copy (TLS_TX_ZEROCOPY_RO, Linux 5.19); where software seals it has no effect.</summary>
    public required KernelFeature ZeroCopySendFile { get; init; }

    /// <summary>Whether records can be kept below a size (TLS_TX_MAX_PAYLOAD_LEN, Linux 6.19), as record_size_limit (RFC 8449) may ask.</summary>
    public required KernelFeature RecordPayloadLimit { get; init; }

    /// <summary>Whether a network device has sealed or opened a connection since boot, in this network namespace. False says nothing about what the device could.</summary>
    public required bool DeviceOffloadSeen { get; init; }

    /// <summary>A report for people, of several lines without a line break at its end.</summary>
    /// <returns>The report.</returns>
    public override string ToString()
    {
        var report = new StringBuilder();
        report.Append(CultureInfo.InvariantCulture, $"Kernel TLS on {Kernel}: {UpperLayerProtocol}");
        if (!IsAvailable)
        {
            return report.Append(CultureInfo.InvariantCulture, $"\n{UpperLayerProtocol.Reason}").ToString();
        }

        report.Append('\n');
        Row(report, "", "send", "receive", "change of keys");
        foreach (KernelCipherSupport support in Ciphers)
        {
            string version = support.Protocol == SslProtocols.Tls13 ? "TLS 1.3" : "TLS 1.2";
            Row(report, $"{version}, {support.Cipher}", $"{support.Send}", $"{support.Receive}", support.Rekey is { } rekey ? $"{rekey}" : "-");
        }

        report.Append('\n');
        Row(report, "no padding expected (TLS_RX_EXPECT_NO_PAD)", $"{ExpectNoPadding}");
        Row(report, "record size limit (TLS_TX_MAX_PAYLOAD_LEN)", $"{RecordPayloadLimit}");
        Row(report, "sendfile without copy (TLS_TX_ZEROCOPY_RO)", ZeroCopySendFile.IsAvailable ? "yes, where a network device seals" : $"{ZeroCopySendFile}");
        Row(report, "network device that seals or opens", DeviceOffloadSeen ? "seen" : "none seen since boot");
        AppendReasons(report);
        return report.ToString();
    }

    internal static KernelTlsCapabilities None(KernelFeature upperLayerProtocol) => new()
    {
        UpperLayerProtocol = upperLayerProtocol,
        Ciphers = [],
        ExpectNoPadding = KernelFeature.NotTried("There is no kernel TLS."),
        ZeroCopySendFile = KernelFeature.NotTried("There is no kernel TLS."),
        RecordPayloadLimit = KernelFeature.NotTried("There is no kernel TLS."),
        DeviceOffloadSeen = false,
    };

    private static void Row(StringBuilder report, string name, params ReadOnlySpan<string> cells)
    {
        var line = new StringBuilder("  ").Append(name.PadRight(NameWidth));
        foreach (string cell in cells)
        {
            line.Append(cell.PadRight(CellWidth));
        }

        report.Append('\n').Append(line.ToString().TrimEnd());
    }

    // Each sentence once, however many ciphers it is about.
    private void AppendReasons(StringBuilder report)
    {
        IEnumerable<string?> reasons = Ciphers
            .SelectMany(IEnumerable<KernelFeature> (support) => [support.Send, support.Receive, support.Rekey ?? KernelFeature.Available])
            .Concat([ExpectNoPadding, RecordPayloadLimit, ZeroCopySendFile])
            .Select(feature => feature.Reason)
            .Where(reason => reason is not null)
            .Distinct();
        foreach (string? reason in reasons)
        {
            report.Append("\n\n").Append(reason);
        }
    }
}
