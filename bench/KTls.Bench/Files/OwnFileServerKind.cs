namespace KTls.Bench.Files;

/// <summary>How a server of .NET sends a file.</summary>
internal enum OwnFileServerKind
{
    /// <summary>No TLS, sendfile.</summary>
    Plain,

    /// <summary>KTls, the kernel seals, sendfile.</summary>
    KTlsSendFile,

    /// <summary>KTls, the kernel seals what is read from the file and written to the stream.</summary>
    KTlsWrite,

    /// <summary>KTls, sealing in user space what is read from the file and written to the stream.</summary>
    KTlsUserSpace,

    /// <summary>SslStream, the same reading and writing.</summary>
    SslStream,

    /// <summary>Kestrel with UseKTls, Results.File.</summary>
    KTlsKestrel,

    /// <summary>Kestrel with UseHttps, Results.File.</summary>
    Kestrel,
}
