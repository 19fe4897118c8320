using System.Net.Security;
using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls;

/// <summary>What KTls adds to .NET's own authentication options.</summary>
public sealed class KTlsOptions
{
    private int _ticketCount = 2;
    private TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(30);
    private long _rekeyAfterRecords = 1L << 22;
    private long _rekeyAfterBytes = 1L << 36;
    private long? _maxBytesPerKey;
    private int _maxKeyUpdatesPerSecond = 64;

    /// <summary>Who may seal and open records. Default: <see cref="DataPlanePolicy.PreferKernel"/>.</summary>
    public DataPlanePolicy DataPlane { get; set; } = DataPlanePolicy.PreferKernel;

    /// <summary>The directions that the kernel may take over. Default: <see cref="KTls.KernelDirections.Both"/>.</summary>
    public KernelDirections KernelDirections { get; set; } = KernelDirections.Both;

    /// <summary>
    /// How long the handshake may take, from 1 ms to 24 days, or <see cref="Timeout.InfiniteTimeSpan"/>. Default: 30 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive and not infinite, or too long for a timer.</exception>
    public TimeSpan HandshakeTimeout
    {
        get => _handshakeTimeout;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(24));
            }

            _handshakeTimeout = value;
        }
    }

    /// <summary>
    /// After so many records, from 16 to 4,194,304, the keys for sending change by themselves (KeyUpdate, TLS 1.3), and a peer that has
    /// sent so many is asked to change its own. Records are counted without asking the kernel, so a change can come early, with
    /// sendfile after a quarter of them. Default: 4,194,304, a sixth of what AES-GCM is safe for (RFC 8446 §5.5).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long RekeyAfterRecords
    {
        get => _rekeyAfterRecords;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 16);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1L << 22);
            _rekeyAfterRecords = value;
        }
    }

    /// <summary>As <see cref="RekeyAfterRecords"/>, but by bytes of content: from 65,536 to 2^36 (64 GiB). Default: 64 GiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long RekeyAfterBytes
    {
        get => _rekeyAfterBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1L << 16);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1L << 36);
            _rekeyAfterBytes = value;
        }
    }

    /// <summary>
    /// What one key seals at most where keys cannot change: in TLS 1.2, and in TLS 1.3 on a kernel without rekey. In bytes of content,
    /// with 48 on top for each record, from 1 MiB. Before a write that would exceed it, the connection ends with close_notify and the write
    /// fails with a <see cref="KeyUpdateUnavailableException"/>. Default, null: what the cipher is safe for, namely 256 GiB with AES-GCM
    /// (2^24 full records of the 2^24.5 of RFC 8446 §5.5), 64 GiB with AES-CCM, no limit with ChaCha20-Poly1305.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long? MaxBytesPerKey
    {
        get => _maxBytesPerKey;
        set
        {
            if (value is { } bytes)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1L << 20);
            }

            _maxBytesPerKey = value;
        }
    }

    /// <summary>
    /// How often a peer may change its keys, from 1 to 1,000,000 times a second on the average; each 256 KiB of its data permit one more. A peer
    /// that floods us with KeyUpdates gets the alert unexpected_message. Default: 64.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxKeyUpdatesPerSecond
    {
        get => _maxKeyUpdatesPerSecond;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1_000_000);
            _maxKeyUpdatesPerSecond = value;
        }
    }

    /// <summary>
    /// Who opens records where the kernel cannot change keys. Default: <see cref="ReceiveWithoutRekey.UserSpace"/>, except with
    /// <see cref="DataPlanePolicy.RequireKernel"/>, which is always <see cref="ReceiveWithoutRekey.Kernel"/>. Whether it can is tried
    /// once per process and cipher, on a connection of KTls' own.
    /// </summary>
    public ReceiveWithoutRekey ReceiveWithoutRekey { get; set; } = ReceiveWithoutRekey.UserSpace;

    /// <summary>What a peer gets that asks for new keys of ours where the kernel cannot change them. Default: <see cref="UpdateRequestWithoutRekey.KeepKeys"/>.</summary>
    public UpdateRequestWithoutRekey UpdateRequestWithoutRekey { get; set; } = UpdateRequestWithoutRekey.KeepKeys;

    /// <summary>
    /// A server's certificates, of which each client gets one by name and by what it can verify. Default: null, the certificate
    /// is that of <see cref="SslServerAuthenticationOptions"/>, which must name none when this is set.
    /// </summary>
    public ServerCredentials? ServerCredentials { get; set; }

    /// <summary>
    /// Whether the socket stays open when the stream is disposed. Default: false, the stream owns the socket
    /// from a successful authentication on. A failed authentication always leaves the socket to the caller.
    /// </summary>
    public bool LeaveSocketOpen { get; set; }

    /// <summary>
    /// The keys of a server's session tickets, for servers that share them. Default, null: keys of this process, which change every
    /// hour. Sessions are resumed only as far as <see cref="SslServerAuthenticationOptions.AllowTlsResume"/> says.
    /// </summary>
    public TicketKeyRing? TicketKeys { get; set; }

    /// <summary>How many tickets a server gives a client of TLS 1.3, 0 to 8; a client uses each once (RFC 8446 §C.4). Default: 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int TicketCount
    {
        get => _ticketCount;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 8);
            _ticketCount = value;
        }
    }

    /// <summary>
    /// Where a client keeps sessions to resume. Default, null: in this process, for up to 1000 servers. Sessions are resumed only as
    /// far as <see cref="SslClientAuthenticationOptions.AllowTlsResume"/> says.
    /// </summary>
    public IClientSessionStore? SessionStore { get; set; }

    /// <summary>
    /// Whether TLS 1.2 needs the extended master secret (RFC 7627). Default: true. A server leaves clients without it to
    /// <see cref="SslStream"/>; a client does not connect to servers without it.
    /// </summary>
    public bool RequireExtendedMasterSecret { get; set; } = true;

    /// <summary>
    /// Gets lines in the format of SSLKEYLOGFILE, for looking into captured traffic: whoever reads them can read the traffic. Called
    /// by many threads. Default, null: nothing is written. Traffic of <see cref="SslStream"/> is not among it.
    /// </summary>
    public Action<string>? KeyLog { get; set; }

    /// <summary>Where log messages go. Default: none.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    internal string? WhyOnlySslStream => DataPlane == DataPlanePolicy.SslStream ? "the options say so" : null;
}
