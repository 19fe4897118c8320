namespace KTls.Bench.Transfers;

/// <summary>Who moves the data.</summary>
internal enum TransferKind
{
    /// <summary><see cref="KTlsStream"/>, with the kernel both ways, by threads that block.</summary>
    KTls,

    /// <summary>The same with ends that do not block.</summary>
    KTlsAsync,

    /// <summary><see cref="System.Net.Security.SslStream"/>, by synchronous calls at both ends.</summary>
    SslStream,

    /// <summary>The same by asynchronous calls.</summary>
    SslStreamAsync,

    /// <summary>TCP without TLS, by synchronous calls.</summary>
    Plain,

    /// <summary>A C program that only moves data, with keys that are made up: limit.c.</summary>
    Limit,
}
