namespace KTls.Handshake;

/// <summary>What a handshake waits for.</summary>
public enum HandshakeStatus
{
    /// <summary>The peer's next record: <see cref="TlsHandshake.ReceiveRecord"/>.</summary>
    NeedsRecord,

    /// <summary>A server's choice of options for the ClientHello: <see cref="ServerHandshake.Accept"/>.</summary>
    NeedsServerOptions,

    /// <summary>The verdict on the server's certificate: <see cref="ClientHandshake.AcceptServerCertificate"/>.</summary>
    NeedsCertificateVerdict,

    /// <summary>Nothing: the handshake is complete and <see cref="TlsHandshake.TakeSession"/> has the keys.</summary>
    Complete,

    /// <summary>Nothing: the handshake has failed.</summary>
    Failed,
}
