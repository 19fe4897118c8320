namespace KTls.Bench.Transfers;

/// <summary>Who moves the data.</summary>
internal enum TransferKind
{
    /// <summary><see cref="KTlsStream"/>, with the kernel both ways.</summary>
    KTls,

    /// <summary><see cref="System.Net.Security.SslStream"/>.</summary>
    SslStream,

    /// <summary>TCP without TLS.</summary>
    Plain,

    /// <summary>A C program that only moves data, with keys that are made up: limit.c.</summary>
    Limit,
}
