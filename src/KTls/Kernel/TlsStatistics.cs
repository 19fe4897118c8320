using System.Collections.Frozen;
using System.Globalization;

namespace KTls;

/// <summary>
/// The kernel's counters of kernel TLS (<c>/proc/net/tls_stat</c>, Documentation/networking/tls.rst), taken at one moment.
/// They cover the network namespace of the process: all its programs, not only this one.
/// </summary>
/// <remarks>A counter that the running kernel does not know is null: <see cref="ReceiveRekeys"/> and its like came with 6.14.</remarks>
public sealed class TlsStatistics
{
    private const string Path = "/proc/net/tls_stat";

    private readonly FrozenDictionary<string, long> _counters;

    private TlsStatistics(FrozenDictionary<string, long> counters) => _counters = counters;

    /// <summary>Connections open now that the kernel seals in software (TlsCurrTxSw).</summary>
    public long? CurrentTransmitSoftware => this["TlsCurrTxSw"];

    /// <summary>Connections open now that the kernel opens in software (TlsCurrRxSw).</summary>
    public long? CurrentReceiveSoftware => this["TlsCurrRxSw"];

    /// <summary>Connections open now that a network device seals (TlsCurrTxDevice).</summary>
    public long? CurrentTransmitDevice => this["TlsCurrTxDevice"];

    /// <summary>Connections open now that a network device opens (TlsCurrRxDevice).</summary>
    public long? CurrentReceiveDevice => this["TlsCurrRxDevice"];

    /// <summary>Connections since boot that the kernel sealed in software (TlsTxSw).</summary>
    public long? TransmitSoftware => this["TlsTxSw"];

    /// <summary>Connections since boot that the kernel opened in software (TlsRxSw).</summary>
    public long? ReceiveSoftware => this["TlsRxSw"];

    /// <summary>Connections since boot that a network device sealed (TlsTxDevice).</summary>
    public long? TransmitDevice => this["TlsTxDevice"];

    /// <summary>Connections since boot that a network device opened (TlsRxDevice).</summary>
    public long? ReceiveDevice => this["TlsRxDevice"];

    /// <summary>Records that failed authentication (TlsDecryptError).</summary>
    public long? DecryptErrors => this["TlsDecryptError"];

    /// <summary>
    /// Records that were decrypted a second time, because the peer pads or sent a control record where
    /// TLS_RX_EXPECT_NO_PAD expected plain data (TlsDecryptRetry).
    /// </summary>
    public long? DecryptRetries => this["TlsDecryptRetry"];

    /// <summary>New receive keys that were installed on a connection with keys (TlsRxRekeyOk).</summary>
    public long? ReceiveRekeys => this["TlsRxRekeyOk"];

    /// <summary>New receive keys that failed to install (TlsRxRekeyError).</summary>
    public long? ReceiveRekeyErrors => this["TlsRxRekeyError"];

    /// <summary>New send keys that were installed on a connection with keys (TlsTxRekeyOk).</summary>
    public long? TransmitRekeys => this["TlsTxRekeyOk"];

    /// <summary>New send keys that failed to install (TlsTxRekeyError).</summary>
    public long? TransmitRekeyErrors => this["TlsTxRekeyError"];

    /// <summary>KeyUpdate messages that arrived (TlsRxRekeyReceived).</summary>
    public long? KeyUpdatesReceived => this["TlsRxRekeyReceived"];

    /// <summary>Every counter's name, as the kernel gives it.</summary>
    public IReadOnlyCollection<string> Names => _counters.Keys;

    /// <summary>A counter by the kernel's name for it, or null if the kernel has none of that name.</summary>
    /// <param name="name">Such as <c>TlsRxNoPadViolation</c>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public long? this[string name] => _counters.TryGetValue(name, out long value) ? value : null;

    /// <summary>Reads the counters, or returns null where there are none: without kernel TLS, or on another system than Linux.</summary>
    /// <exception cref="IOException">The file is there but cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is there but may not be read.</exception>
    public static TlsStatistics? Read()
    {
        try
        {
            return Parse(File.ReadLines(Path));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // Lines of a name, blanks or tabs, and a number; what else a later kernel may write is passed over.
    internal static TlsStatistics Parse(IEnumerable<string> lines)
    {
        Dictionary<string, long> counters = new(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 2
                && long.TryParse(words[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            {
                counters[words[0]] = value;
            }
        }

        return new TlsStatistics(counters.ToFrozenDictionary(StringComparer.Ordinal));
    }
}
