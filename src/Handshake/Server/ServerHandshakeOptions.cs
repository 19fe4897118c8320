using System.Net.Security;

namespace KTls.Handshake;

/// <summary>What a server needs to answer a ClientHello.</summary>
public sealed class ServerHandshakeOptions
{
    /// <summary>The certificate to show and the key to sign with.</summary>
    public required CertificateCredential Credential { get; init; }

    /// <summary>Application protocols (ALPN) in the server's order of preference; empty: ALPN is not used.</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <summary>Cipher suites in the server's order of preference. Unknown ones are not used. Default: all that are known.</summary>
    public IReadOnlyList<TlsCipherSuite> CipherSuites { get; init; } = SupportedParameters.CipherSuites;

    /// <summary>Groups in the server's order of preference. Default: all that are known.</summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = SupportedParameters.Groups;
}
