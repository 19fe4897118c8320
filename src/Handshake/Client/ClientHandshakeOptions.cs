using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;

namespace KTls.Handshake;

/// <summary>What a client offers.</summary>
[Experimental(Maturity.Experimental)]
public sealed class ClientHandshakeOptions
{
    private readonly int? _recordSizeLimit;

    /// <summary>The host name for SNI (RFC 6066 §3), in ASCII; empty: none is sent, as for an IP address.</summary>
    public string ServerName { get; init; } = string.Empty;

    /// <summary>The versions that the client speaks: TLS 1.3, TLS 1.2 or both. Others are not offered. Default: both.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>Application protocols (ALPN) in the order of preference; empty: ALPN is not used.</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <summary>Cipher suites in the order of preference. Unknown ones are not offered. Default: all that are known.</summary>
    public IReadOnlyList<TlsCipherSuite> CipherSuites { get; init; } = SupportedParameters.CipherSuites;

    /// <summary>
    /// Groups in the order of preference; the first gets a key share at once, and a hybrid's classic half one of its own when it
    /// is among them. Default: all that are known.
    /// </summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = SupportedParameters.Groups;

    /// <summary>
    /// Chooses the certificate to show to a server that asks for one; null, or when it returns null: none. The server's own
    /// certificate has been accepted by then.
    /// </summary>
    public Func<ClientCertificateRequest, CertificateCredential?>? SelectCertificate { get; init; }

    /// <summary>A session to resume; null: none. It is read when the handshake starts, and not disposed by it.</summary>
    public ClientSession? Session { get; init; }

    /// <summary>Whether the client takes tickets for later sessions. True by default.</summary>
    public bool RequestTickets { get; init; } = true;

    /// <summary>Whether to ask for a stapled OCSP response (RFC 6066 §8). False by default.</summary>
    public bool RequestOcspResponse { get; init; }

    /// <summary>
    /// Whether servers of TLS 1.2 must do the extended master secret (RFC 7627). True by default: without it a man in the middle
    /// can bring two connections to the same secret.
    /// </summary>
    public bool RequireExtendedMasterSecret { get; init; } = true;

    /// <summary>
    /// Whether servers of TLS 1.2 must have secure renegotiation (RFC 5746), although this client never renegotiates. True by
    /// default: another server may take the handshake for the second one of a stranger's connection, and what he sent for ours (§4.1).
    /// </summary>
    public bool RequireSecureRenegotiation { get; init; } = true;

    /// <summary>
    /// The most bytes of content that this client takes in a record, 64 to 16384, told to the server (RFC 8449). The handshake
    /// refuses larger records; whoever opens the later ones sees to them. Null, the default: the extension is not used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int? RecordSizeLimit { get => _recordSizeLimit; init => _recordSizeLimit = Wire.RecordSizeLimit.Checked(value); }

    /// <summary>What the server may make the client hold.</summary>
    public HandshakeLimits Limits { get; init; } = HandshakeLimits.Default;

    /// <summary>Gets lines in the format of SSLKEYLOGFILE. Whoever reads them can read the traffic. Null: nothing is written.</summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>The clock for the age of sessions. Default: the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
