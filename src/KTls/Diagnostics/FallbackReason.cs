namespace KTls.Diagnostics;

/// <summary>Why the kernel does not serve, in as few words as a metric can count.</summary>
internal enum FallbackReason
{
    /// <summary><see cref="KTlsOptions.DataPlane"/> or <see cref="KTlsOptions.KernelDirections"/> say so.</summary>
    SwitchedOff,

    /// <summary>An option that only SslStream honours.</summary>
    Options,

    /// <summary>The kernel has no TLS, or it cannot be attached.</summary>
    NoKernelTls,

    /// <summary>What the client offers, or the certificate for it.</summary>
    Peer,

    /// <summary>The kernel refused a direction's keys.</summary>
    KeysRefused,

    /// <summary>The kernel cannot change keys, so it does not receive.</summary>
    NoRekey,
}
