using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace KTls.Kestrel.Tls;

/// <summary>What Kestrel and applications ask about a TLS connection.</summary>
internal sealed class TlsFeatures(KTlsStream stream) : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature, IKTlsFeature
{
    private readonly SuiteDescription _description = new(stream.NegotiatedCipherSuite);

    public KTlsStream Stream => stream;

    public X509Certificate2? ClientCertificate { get; set; } = stream.RemoteCertificate;

    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = stream.NegotiatedApplicationProtocol.Protocol;

    public SslProtocols Protocol { get; } = stream.SslProtocol;

    public TlsCipherSuite? NegotiatedCipherSuite { get; } = stream.NegotiatedCipherSuite;

    public string HostName { get; } = stream.TargetHostName;

#pragma warning disable SYSLIB0058 // Obsolete in .NET, and still members of the interface.
    public CipherAlgorithmType CipherAlgorithm => _description.Cipher;

    public int CipherStrength => _description.CipherStrength;

    public HashAlgorithmType HashAlgorithm => _description.Hash;

    public int HashStrength => _description.HashStrength;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => _description.KeyExchange;

    // That of an elliptic curve is none that .NET reports.
    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    public void AddTo(IFeatureCollection features)
    {
        features.Set<ITlsConnectionFeature>(this);
        features.Set<ITlsHandshakeFeature>(this);
        features.Set<ITlsApplicationProtocolFeature>(this);
        features.Set<IKTlsFeature>(this);
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
}
