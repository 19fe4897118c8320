namespace KTls.Bench.Idle;

/// <summary>Who keeps the idle connections.</summary>
internal enum IdleKind
{
    /// <summary>Nobody seals: what TCP itself takes.</summary>
    Tcp,

    /// <summary><see cref="KTlsStream"/>, with the kernel both ways.</summary>
    KTls,

    /// <summary><see cref="System.Net.Security.SslStream"/>.</summary>
    SslStream,

    /// <summary>Kestrel with UseKTls.</summary>
    KTlsKestrel,

    /// <summary>Kestrel with UseHttps.</summary>
    Kestrel,
}
