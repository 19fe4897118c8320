namespace KTls.Handshake;

/// <summary>What an alert says (RFC 8446 §6, RFC 5246 §7.2).</summary>
public enum AlertDescription : byte
{
    /// <summary>The sender will send nothing more.</summary>
    CloseNotify = 0,

    /// <summary>A message that is out of place.</summary>
    UnexpectedMessage = 10,

    /// <summary>A record that cannot be opened.</summary>
    BadRecordMac = 20,

    /// <summary>A record longer than the limit.</summary>
    RecordOverflow = 22,

    /// <summary>No acceptable set of parameters.</summary>
    HandshakeFailure = 40,

    /// <summary>A corrupt certificate.</summary>
    BadCertificate = 42,

    /// <summary>A certificate of a type that is not supported.</summary>
    UnsupportedCertificate = 43,

    /// <summary>A certificate that its signer revoked.</summary>
    CertificateRevoked = 44,

    /// <summary>A certificate that is not valid now.</summary>
    CertificateExpired = 45,

    /// <summary>Any other reason that makes a certificate unacceptable.</summary>
    CertificateUnknown = 46,

    /// <summary>A field out of range or inconsistent with others.</summary>
    IllegalParameter = 47,

    /// <summary>No trust anchor for the certificate chain.</summary>
    UnknownCa = 48,

    /// <summary>A valid certificate whose owner may not enter.</summary>
    AccessDenied = 49,

    /// <summary>A message that cannot be decoded.</summary>
    DecodeError = 50,

    /// <summary>A failed signature, Finished or binder.</summary>
    DecryptError = 51,

    /// <summary>A protocol version that is known and not supported.</summary>
    ProtocolVersion = 70,

    /// <summary>The server requires stronger parameters.</summary>
    InsufficientSecurity = 71,

    /// <summary>An error that has nothing to do with the peer.</summary>
    InternalError = 80,

    /// <summary>A client that fell back further than it had to (RFC 7507).</summary>
    InappropriateFallback = 86,

    /// <summary>The user cancelled the handshake.</summary>
    UserCanceled = 90,

    /// <summary>A refused renegotiation (TLS 1.2).</summary>
    NoRenegotiation = 100,

    /// <summary>A message lacks an extension that it must have.</summary>
    MissingExtension = 109,

    /// <summary>A message has an extension that it must not have.</summary>
    UnsupportedExtension = 110,

    /// <summary>The server has no such name (RFC 6066 §3).</summary>
    UnrecognizedName = 112,

    /// <summary>An unacceptable OCSP response.</summary>
    BadCertificateStatusResponse = 113,

    /// <summary>An unknown pre-shared key identity.</summary>
    UnknownPskIdentity = 115,

    /// <summary>The client sent no certificate where one is required.</summary>
    CertificateRequired = 116,

    /// <summary>No application protocol in common (RFC 7301 §3.2).</summary>
    NoApplicationProtocol = 120,
}
