using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>
/// What the runner wants of one connection: the flags, read. A test has one set for the first connection and one for those
/// that resume.
/// </summary>
internal sealed class ConnectionFlags
{
    public bool IsServer { get; set; }

    public ushort MinVersion { get; set; } = 0x0303;

    public ushort MaxVersion { get; set; } = 0x0304;

    public SslProtocols RefusedProtocols { get; set; }

    public List<NamedGroup> Groups { get; } = [];

    public IReadOnlyList<TlsCipherSuite> CipherSuites { get; set; } = SupportedParameters.CipherSuites;

    /// <summary>The credential of the flags that name none, and then those that are named one by one, to be preferred.</summary>
    public CredentialFlags DefaultCredential { get; } = new();

    public List<CredentialFlags> Credentials { get; } = [];

    /// <summary>The credential that the next flag is about.</summary>
    public CredentialFlags Credential => Credentials.Count == 0 ? DefaultCredential : Credentials[^1];

    /// <summary>Keys sign as if they were elsewhere.</summary>
    public bool IsAsync { get; set; }

    public string HostName { get; set; } = string.Empty;

    public IReadOnlyList<SslApplicationProtocol> AdvertisedProtocols { get; set; } = [];

    public string SelectedProtocol { get; set; } = string.Empty;

    public bool DeclinesProtocols { get; set; }

    public bool RejectsProtocols { get; set; }

    /// <summary>Refuses the client when its ClientHello is there, for this reason.</summary>
    public Refusal? RefusesClient { get; set; }

    /// <summary>Fails when the server asks for a certificate, or would show its own.</summary>
    public bool FailsAtCertificate { get; set; }

    /// <summary>A server asks for a certificate; -verify-fail counts.</summary>
    public bool VerifiesPeer { get; set; }

    public bool RequiresClientCertificate { get; set; }

    public Refusal? RefusesPeerCertificate { get; set; }

    /// <summary>A client does not trust the stapled OCSP response, or that there is none.</summary>
    public bool RefusesOcspResponse { get; set; }

    public int MaxMessageSize { get; set; } = HandshakeLimits.Default.MaxMessageSize;

    /// <summary>Judges the peer's certificate when a session is resumed, too.</summary>
    public bool JudgesAgain { get; set; }

    public IReadOnlyList<byte[]> CertificateAuthorities { get; set; } = [];

    public bool TakesTickets { get; set; } = true;

    public bool RequestsOcspResponse { get; set; }

    public bool RequiresExtendedMasterSecret { get; set; }

    public bool RequiresSecureRenegotiation { get; set; }

    public int ResumptionDelaySeconds { get; set; }

    public bool ShimWritesFirst { get; set; }

    public string InitialWrite { get; set; } = "hello";

    public bool ShimShutsDown { get; set; }

    public bool ChecksCloseNotify { get; set; }

    public bool WritesDifferentRecordSizes { get; set; }

    public bool UpdatesKeys { get; set; }

    public bool UpdatesKeysBeforeRead { get; set; }

    public int ReadSize { get; set; } = 512;

    public int ExportLength { get; set; }

    public string ExportLabel { get; set; } = string.Empty;

    public string ExportContext { get; set; } = string.Empty;

    public bool HasExportContext { get; set; }

    public bool HandshakeMustFail { get; set; }

    public ushort ExpectedVersion { get; set; }

    public ushort ExpectedCipherSuite { get; set; }

    public ushort ExpectedGroup { get; set; }

    public string ExpectedProtocol { get; set; } = string.Empty;

    public string? ExpectedServerName { get; set; }

    /// <summary>What a client's list of application protocols must be, as it stands in the extension.</summary>
    public byte[]? ExpectedProtocolList { get; set; }

    /// <summary>Whether there must have been a HelloRetryRequest, or must not.</summary>
    public bool? ExpectsRetry { get; set; }

    /// <summary>A certificate of the peer's must have been judged, in a resumed session as well.</summary>
    public bool ExpectsVerdict { get; set; }

    public string ExpectedPeerCertificateFile { get; set; } = string.Empty;

    public bool ExpectsNoPeerCertificate { get; set; }

    public IReadOnlyList<byte[]>? ExpectedCertificateAuthorities { get; set; }

    public List<SignatureScheme> ExpectedVerifySchemes { get; } = [];

    public int? ExpectedCredential { get; set; }

    public byte[] ExpectedOcspResponse { get; set; } = [];

    public bool ExpectsFullHandshake { get; set; }

    public bool ExpectsNoSession { get; set; }

    public bool ExpectsTicketRenewal { get; set; }

    public SslProtocols Protocols =>
        (MinVersion <= 0x0303 && MaxVersion >= 0x0303 ? SslProtocols.Tls12 & ~RefusedProtocols : SslProtocols.None)
        | (MaxVersion >= 0x0304 ? SslProtocols.Tls13 & ~RefusedProtocols : SslProtocols.None);
}
