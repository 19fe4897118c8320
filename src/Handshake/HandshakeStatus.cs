using System.Diagnostics.CodeAnalysis;

namespace KTls.Handshake;

/// <summary>What a handshake waits for.</summary>
[Experimental(Maturity.Experimental)]
public enum HandshakeStatus
{
    /// <summary>The peer's next record: <see cref="TlsHandshake.ReceiveRecord"/>.</summary>
    NeedsRecord,

    /// <summary>A server's choice of options for the ClientHello: <see cref="ServerHandshake.Accept"/>.</summary>
    NeedsServerOptions,

    /// <summary>The verdict on the peer's certificate: <see cref="TlsHandshake.AcceptPeerCertificate"/>.</summary>
    NeedsCertificateVerdict,

    /// <summary>A signature that the credential's key makes elsewhere: <see cref="TlsHandshake.ProvideSignature"/>.</summary>
    NeedsSignature,

    /// <summary>Nothing: the handshake is complete and <see cref="TlsHandshake.TakeSession"/> has the keys.</summary>
    Complete,

    /// <summary>Nothing: the handshake has failed.</summary>
    Failed,
}
