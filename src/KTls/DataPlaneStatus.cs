namespace KTls;

/// <summary>What seals or opens the records of one direction.</summary>
public enum DataPlaneKind
{
    /// <summary>The Linux kernel (kernel TLS).</summary>
    Kernel,

    /// <summary>KTls' own record layer.</summary>
    UserSpace,

    /// <summary><see cref="System.Net.Security.SslStream"/>.</summary>
    SslStream,
}

/// <summary>Who seals or opens the records of one direction, and why.</summary>
/// <param name="Kind">Who does it.</param>
/// <param name="Fallback">Why it is not the kernel.</param>
/// <param name="Reason">The same in one sentence for a person.</param>
public readonly record struct DataPlaneStatus(DataPlaneKind Kind, FallbackReason Fallback, string Reason)
{
    /// <summary>In one word or two, for a log: "Kernel", "SslStream (CipherSuite)".</summary>
    /// <returns>Who, and by its name why it is not the kernel.</returns>
    public override string ToString() => Fallback == FallbackReason.None ? $"{Kind}" : $"{Kind} ({Fallback})";
}
