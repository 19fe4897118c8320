namespace KTls.Kernel;

/// <summary>One direction of a connection, by the socket option that installs its keys.</summary>
internal enum KernelDirection
{
    /// <summary>TLS_TX.</summary>
    Send = 1,

    /// <summary>TLS_RX.</summary>
    Receive = 2,
}
