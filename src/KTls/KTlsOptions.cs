using System.Net.Security;
using KTls.Authentication;
using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls;

/// <summary>What KTls adds to .NET's own authentication options.</summary>
public sealed partial class KTlsOptions
{
    private int _ticketCount = 2;
    private TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(30);
    private TimeSpan _certificateVerdictLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Who may seal and open records. Default: <see cref="DataPlanePolicy.PreferKernel"/>.</summary>
    public DataPlanePolicy DataPlane { get; set; } = DataPlanePolicy.PreferKernel;

    /// <summary>Whether <see cref="SslStream"/> may serve whom KTls cannot. Default: <see cref="FallbackPolicy.Allow"/>.</summary>
    public FallbackPolicy Fallback { get; set; } = FallbackPolicy.Allow;

    /// <summary>
    /// Whether <see cref="KTlsStream.ConnectAsync"/> connects once more, by <see cref="SslStream"/>, to a server that answers our ClientHello with
    /// handshake_failure, protocol_version or insufficient_security, where <see cref="Fallback"/> and <see cref="DataPlane"/> allow SslStream. Default: false.
    /// </summary>
    /// <remarks>
    /// The alert may be an attacker's. It gains the suites and groups that SslStream has beyond ours (CBC, for example), and servers without the extended master secret
    /// (RFC 7627), whatever <see cref="RequireExtendedMasterSecret"/> says, and, if the system's OpenSSL takes them, without secure renegotiation (RFC 5746); but no version that
    /// <see cref="SslClientAuthenticationOptions.EnabledSslProtocols"/> does not allow, none below TLS 1.2 where that leaves the choice to the system,
    /// and no older version than both ends have: the second handshake offers all versions again and proves that nobody changed that.
    /// </remarks>
    public bool RetryWithSslStream { get; set; }

    /// <summary>The directions that the kernel may take over. Default: <see cref="KTls.KernelDirections.Both"/>.</summary>
    public KernelDirections KernelDirections { get; set; } = KernelDirections.Both;

    /// <summary>
    /// Whether the peer is known to pad its records (TLS 1.3, RFC 8446 §5.4). Default: false, the kernel opens records straight into
    /// the reader's buffer (TLS_RX_EXPECT_NO_PAD, Linux 6.0), and each padded one twice. Nothing depends on it but speed.
    /// </summary>
    public bool ExpectPadding { get; set; }

    /// <summary>
    /// How long the handshake may take, from 1 ms to 24 days, or <see cref="Timeout.InfiniteTimeSpan"/>. Default: 30 seconds. Kept to a
    /// sixteenth and to 2 seconds, and never early.
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
    /// A server's certificates, of which each client gets one by name and by what it can verify. Default: null, the certificate
    /// is that of <see cref="SslServerAuthenticationOptions"/>, which must name none when this is set.
    /// </summary>
    public ServerCredentials? ServerCredentials { get; set; }

    /// <summary>
    /// A client's certificates, of which a server that asks for one gets the first that it takes. Default: null, they are those of
    /// <see cref="SslClientAuthenticationOptions"/>, which must name none when this is set.
    /// </summary>
    public ClientCredentials? ClientCredentials { get; set; }

    /// <summary>
    /// Whether the socket stays open when the stream is disposed. Default: false, the stream owns the socket
    /// from a successful authentication on. A failed authentication always leaves the socket to the caller.
    /// A socket whose records the kernel seals or opens goes on doing so, does not block any more once a file was sent, and receives no
    /// more if a synchronous read had to be ended: it is good for being closed.
    /// </summary>
    public bool LeaveSocketOpen { get; set; }

    /// <summary>
    /// The keys of a server's session tickets, for servers that share them. Default, null: keys of this process, which change every
    /// hour. Sessions are resumed only as far as <see cref="SslServerAuthenticationOptions.AllowTlsResume"/> says.
    /// </summary>
    public TicketKeyRing? TicketKeys { get; set; }

    /// <summary>How many tickets a server gives a client of TLS 1.3 in a full handshake, 0 to 8; a client uses each once (RFC 8446 §C.4), and gets one for it when it resumes. Default: 2.</summary>
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
    /// How long a client that resumes a session goes by what it decided of the server's certificate when the session began, from zero, each time
    /// anew, to 7 days. Default: 5 minutes.
    /// </summary>
    /// <remarks>
    /// The certificate must not have expired meanwhile, nor one of its chain, and name and options must be the same; else the chain is built anew. Changes of the
    /// system's and the user's stores are not looked for. The chain is always built anew where revocation is checked (<see cref="SslClientAuthenticationOptions.CertificateRevocationCheckMode"/>), where there is a
    /// <see cref="SslClientAuthenticationOptions.RemoteCertificateValidationCallback"/>, which gets it, and for sessions from outside of this process.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public TimeSpan CertificateVerdictLifetime
    {
        get => _certificateVerdictLifetime;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(7));
            _certificateVerdictLifetime = value;
        }
    }

    /// <summary>
    /// The groups of the key agreement, in the order of preference; a client offers the first one's key share at once, and what is
    /// not among <see cref="SupportedParameters.Groups"/> is not used. Default, null: all of those. Where <see cref="System.Net.Security.SslStream"/> serves,
    /// it takes the platform's own: who must not have others sets <see cref="Fallback"/> to <see cref="FallbackPolicy.Forbid"/>.
    /// </summary>
    public IReadOnlyList<NamedGroup>? Groups { get; set; }

    /// <summary>
    /// Whether TLS 1.2 needs the extended master secret (RFC 7627). Default: true. A server leaves clients without it to
    /// <see cref="SslStream"/>; a client does not connect to servers without it.
    /// </summary>
    public bool RequireExtendedMasterSecret { get; set; } = true;

    /// <summary>Whether a client asks for a stapled OCSP response: <see cref="KTlsStream.RemoteOcspResponse"/>. Default: false.</summary>
    public bool RequestOcspResponse { get; set; }

    /// <summary>How much a peer may make a handshake hold or do. Default: <see cref="Handshake.HandshakeLimits.Default"/>.</summary>
    public HandshakeLimits HandshakeLimits { get; set; } = HandshakeLimits.Default;

    /// <summary>
    /// Gets lines in the format of SSLKEYLOGFILE, for looking into captured traffic: whoever reads them can read the traffic. Called
    /// by many threads. Default, null: nothing is written. Traffic of <see cref="SslStream"/> is not among it.
    /// <see cref="KeyLogFile"/> writes them to a file.
    /// </summary>
    public Action<string>? KeyLog { get; set; }

    /// <summary>
    /// Whether a stream has to end with close_notify: if TCP ends without it, reads fail with an <see cref="EndOfStreamException"/> instead of
    /// returning 0, so that nobody takes a stream that was cut off for a whole one (RFC 8446 §6.1). Default: false, for many peers
    /// never send it and protocols like HTTP know their own ends.
    /// </summary>
    public bool RequireCloseNotify { get; set; }

    /// <summary>Where log messages go. Default: none.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The platform, which a test can deny.</summary>
    internal bool IsLinux { get; init; } = OperatingSystem.IsLinux();

    /// <summary>The ends of the handshakes with these options.</summary>
    internal Deadlines Deadlines { get; } = new();

    /// <summary>The clock, which a test can turn.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;
}
