using System.Net.Security;

namespace KTls.Handshake;

/// <summary>What a client offers.</summary>
public sealed class ClientHandshakeOptions
{
    /// <summary>The host name for SNI (RFC 6066 §3), in ASCII; empty: none is sent, as for an IP address.</summary>
    public string ServerName { get; init; } = string.Empty;

    /// <summary>Application protocols (ALPN) in the order of preference; empty: ALPN is not used.</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <summary>Cipher suites in the order of preference. Unknown ones are not offered. Default: all that are known.</summary>
    public IReadOnlyList<TlsCipherSuite> CipherSuites { get; init; } = SupportedParameters.CipherSuites;

    /// <summary>Groups in the order of preference; the first gets a key share at once. Default: all that are known.</summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = SupportedParameters.Groups;
}
