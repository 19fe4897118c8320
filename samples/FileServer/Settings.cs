using KTls;

namespace FileServer;

/// <summary>What the command line asks for, with the defaults.</summary>
internal sealed record Settings
{
    public bool ShowHelp { get; init; }

    public string Root { get; init; } = ".";

    public ListenAddress Listen { get; init; } = ListenAddress.Parse("127.0.0.1:8443");

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    public string? Password { get; init; }

    public DataPlanePolicy DataPlane { get; init; } = DataPlanePolicy.PreferKernel;

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public int MaxConnections { get; init; } = 10_000;

    public bool Verbose { get; init; }
}
