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
    public KTlsStream Stream => stream;

    public X509Certificate2? ClientCertificate { get; set; } = stream.RemoteCertificate;

    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = stream.NegotiatedApplicationProtocol.Protocol;

    public SslProtocols Protocol { get; } = stream.SslProtocol;

    public TlsCipherSuite? NegotiatedCipherSuite { get; } = stream.NegotiatedCipherSuite;

    public string HostName { get; } = stream.TargetHostName;

    private string SuiteName => NegotiatedCipherSuite.ToString()!;

#pragma warning disable SYSLIB0058 // Obsolete in .NET, and still members of the interface.
    public CipherAlgorithmType CipherAlgorithm => SuiteName switch
    {
        { } name when name.Contains("AES_128", StringComparison.Ordinal) => CipherAlgorithmType.Aes128,
        { } name when name.Contains("AES_256", StringComparison.Ordinal) => CipherAlgorithmType.Aes256,
        _ => CipherAlgorithmType.None,
    };

    public int CipherStrength => CipherAlgorithm == CipherAlgorithmType.Aes128 ? 128 : 256;

    // An AEAD has no MAC of its own, and the suites of TLS 1.3 name no key exchange: .NET has values for neither.
    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

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
