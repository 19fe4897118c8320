namespace KTls;

/// <summary>
/// Who opens the records of a TLS 1.3 connection where the kernel cannot change keys (Linux before 6.14, as far as its distribution
/// has not carried the change back). There a KeyUpdate of the peer (RFC 8446 §4.6.3), which may come at any time, leaves the kernel
/// with a key that opens nothing any more.
/// </summary>
public enum ReceiveWithoutRekey
{
    /// <summary>KTls' own record layer, for which a KeyUpdate is nothing special. Sending stays with the kernel.</summary>
    UserSpace,

    /// <summary>
    /// The kernel: for peers that are known to send no KeyUpdate. One that comes nevertheless ends the connection, and the read fails
    /// with a <see cref="KeyUpdateUnavailableException"/>.
    /// </summary>
    Kernel,
}
