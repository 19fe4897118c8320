namespace KTls;

/// <summary>Why it is not the kernel that seals or opens: <see cref="DataPlaneStatus.Fallback"/>. docs/FALLBACK.md has the table.</summary>
public enum FallbackReason
{
    /// <summary>It is the kernel.</summary>
    None,

    /// <summary><see cref="KTlsOptions.DataPlane"/> or <see cref="KTlsOptions.KernelDirections"/> say so.</summary>
    SwitchedOff,

    /// <summary>An option that only SslStream honours.</summary>
    Options,

    /// <summary>The platform is not Linux.</summary>
    NotLinux,

    /// <summary>The kernel has no TLS, or it cannot be attached to this socket.</summary>
    NoKernelTls,

    /// <summary>The client offers neither TLS 1.2 nor TLS 1.3, or not the one that the options allow.</summary>
    ProtocolVersion,

    /// <summary>The client offers TLS 1.2 without the extended master secret: <see cref="KTlsOptions.RequireExtendedMasterSecret"/>.</summary>
    ExtendedMasterSecret,

    /// <summary>The client offers no cipher suite of ours (AEAD with forward secrecy), or none that the options allow and the certificate's key has.</summary>
    CipherSuite,

    /// <summary>The client offers no group of ours.</summary>
    Group,

    /// <summary>The client accepts no signature of the certificate's key.</summary>
    SignatureScheme,

    /// <summary>Our handshake cannot sign with the server's certificate.</summary>
    Certificate,

    /// <summary>The server refused what KTls offers, and SslStream tried on a new connection: <see cref="KTlsOptions.RetryWithSslStream"/>.</summary>
    ServerRefused,

    /// <summary>The handshake is complete, and the kernel refused the keys of the direction.</summary>
    KeysRefused,

    /// <summary>The kernel cannot change keys, so it does not receive: <see cref="KTlsOptions.ReceiveWithoutRekey"/>.</summary>
    NoRekey,

    /// <summary>Records came with the end of the handshake; the kernel takes over when they are read.</summary>
    EarlyRecords,
}
