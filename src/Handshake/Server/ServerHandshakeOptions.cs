using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;

namespace KTls.Handshake;

/// <summary>What a server needs to answer a ClientHello.</summary>
[Experimental(Maturity.Experimental)]
public sealed class ServerHandshakeOptions
{
    private readonly int _ticketCount = 2;
    private readonly int? _recordSizeLimit;
    private readonly IReadOnlyList<byte[]> _certificateAuthorities = [];

    /// <summary>The certificate to show and the key to sign with.</summary>
    public required CertificateCredential Credential { get; init; }

    /// <summary>The versions that the server speaks: TLS 1.3, TLS 1.2 or both. Others are not used. Default: both.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>Application protocols (ALPN) in the server's order of preference; empty: ALPN is not used.</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <summary>Cipher suites in the server's order of preference. Unknown ones are not used. Default: all that are known.</summary>
    public IReadOnlyList<TlsCipherSuite> CipherSuites { get; init; } = SupportedParameters.CipherSuites;

    /// <summary>Groups in the server's order of preference. Unknown ones are not used. Default: all that are known.</summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = SupportedParameters.Groups;

    /// <summary>
    /// Whether to ask for a client certificate. The verdict (<see cref="HandshakeStatus.NeedsCertificateVerdict"/>) is then asked
    /// for whether the client shows one or not.
    /// </summary>
    public bool RequestClientCertificate { get; init; }

    /// <summary>
    /// Distinguished names of the authorities that a client certificate may come from, DER each; empty: any. All together they must
    /// fit into one CertificateRequest, which has room for almost 64 KiB. The list is copied.
    /// </summary>
    /// <exception cref="ArgumentException">A name is empty, or together they are too long.</exception>
    public IReadOnlyList<byte[]> CertificateAuthorities { get => _certificateAuthorities; init => _certificateAuthorities = ClientCertificateRequest.CheckedAuthorities(value); }

    /// <summary>Seals the tickets with which clients resume sessions; null: there are none, and no session is resumed.</summary>
    public TicketKeyRing? Tickets { get; init; }

    /// <summary>How many tickets a client of TLS 1.3 gets in a full handshake, 0 to 8; it uses each once (RFC 8446 §C.4), and gets one for it when it resumes. 2 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int TicketCount
    {
        get => _ticketCount;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 8);
            _ticketCount = value;
        }
    }

    /// <summary>
    /// How long a ticket is valid, at most seven days (RFC 8446 §4.6.1): what is longer counts as that. Under a second no ticket is given.
    /// Two hours by default.
    /// </summary>
    public TimeSpan TicketLifetime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>
    /// Whether TLS 1.2 clients must offer the extended master secret (RFC 7627). True by default: without it a man in the middle
    /// can bring two connections to the same secret.
    /// </summary>
    public bool RequireExtendedMasterSecret { get; init; } = true;

    /// <summary>
    /// The most bytes of content that this server takes in a record, 64 to 16384, told to clients that ask (RFC 8449); their own
    /// limit is kept then. The handshake refuses larger records; whoever opens the later ones sees to them. Null, the default: the
    /// extension is not used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int? RecordSizeLimit { get => _recordSizeLimit; init => _recordSizeLimit = Wire.RecordSizeLimit.Checked(value); }

    /// <summary>Gets lines in the format of SSLKEYLOGFILE. Whoever reads them can read the traffic. Null: nothing is written.</summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>The clock for the age of sessions. Default: the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Looks whether a client can be served with these options, before any answer: who else could serve it is the caller's question.</summary>
    /// <param name="hello">What the client offers.</param>
    /// <returns>Why not; null when it can.</returns>
    public HandshakeObstacle? FindObstacle(ClientHello hello)
    {
        ArgumentNullException.ThrowIfNull(hello);
        return ServerNegotiation.FindObstacle(hello, this);
    }
}
