using System.Diagnostics.CodeAnalysis;

namespace KTls.Handshake;

/// <summary>Why a server with its options cannot serve a client, as far as the ClientHello tells.</summary>
[Experimental(Maturity.Experimental)]
public enum HandshakeObstacle
{
    /// <summary>The client offers no protocol version that the server speaks.</summary>
    ProtocolVersion,

    /// <summary>A client of TLS 1.2 does not offer the extended master secret, and the server requires it.</summary>
    ExtendedMasterSecret,

    /// <summary>The client offers no cipher suite that the server and, in TLS 1.2, the certificate's key have.</summary>
    CipherSuite,

    /// <summary>The client offers no group that the server has.</summary>
    Group,

    /// <summary>A client of TLS 1.2 does not have the curve of the certificate's key (RFC 8422 §5.1).</summary>
    CertificateCurve,

    /// <summary>The client accepts no signature scheme that the certificate's key can sign with.</summary>
    SignatureScheme,
}
