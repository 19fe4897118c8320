namespace KTls.Bench.Connections;

/// <summary>Who seals and opens.</summary>
internal enum StreamKind
{
    /// <summary>Nobody: TCP.</summary>
    Plain,

    /// <summary><see cref="System.Net.Security.SslStream"/>.</summary>
    SslStream,

    /// <summary><see cref="KTlsStream"/>, with the kernel both ways.</summary>
    Kernel,

    /// <summary><see cref="KTlsStream"/>, without the kernel.</summary>
    UserSpace,
}
