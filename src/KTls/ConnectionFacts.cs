using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Authentication;
using KTls.Handshake;

namespace KTls;

/// <summary>What a handshake agreed on.</summary>
internal sealed record ConnectionFacts
{
    public required SslProtocols Protocol { get; init; }

    public required TlsCipherSuite CipherSuite { get; init; }

    public NamedGroup? Group { get; init; }

    public SslApplicationProtocol ApplicationProtocol { get; init; }

    public X509Certificate2? RemoteCertificate { get; init; }

    public X509Certificate2? LocalCertificate { get; init; }

    public required bool IsServer { get; init; }

    /// <summary>Has the channel bindings that are SslStream's; null: there are none.</summary>
    public TransportContext? OtherBindings { get; init; }

    /// <summary>Made for who asks, as SslStream's.</summary>
    public TransportContext TransportContext => new EndpointContext(IsServer ? LocalCertificate : RemoteCertificate, OtherBindings);

    public ReadOnlyMemory<byte> RemoteOcspResponse { get; init; }

    public bool? IsResumed { get; init; }

    public string TargetHostName { get; init; } = string.Empty;
}
