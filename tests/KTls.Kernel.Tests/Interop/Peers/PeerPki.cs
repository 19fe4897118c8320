using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests.Interop;

/// <summary>A root, an intermediate below it, and certificates for "localhost" below that one: no peer trusts more than the root.</summary>
internal static class PeerPki
{
    private static readonly ECDsa RootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly ECDsa IntermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static X509Certificate2 Root { get; } = CreateRoot();

    public static X509Certificate2 Intermediate { get; } = CreateIntermediate();

    public static X509Certificate2 Ecdsa { get; } = Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static X509Certificate2 Rsa { get; } = Issue(RSA.Create(2048));

    /// <summary>The certificate that the theories name "ecdsa" or "rsa".</summary>
    public static X509Certificate2 Leaf(string key) => key == "rsa" ? Rsa : Ecdsa;

    /// <summary>Options of a server that agrees to no suite but one, and on http/1.1.</summary>
    public static SslServerAuthenticationOptions Server(TlsCipherSuite suite, string key = "ecdsa", bool sendIntermediate = true) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(Leaf(key), sendIntermediate ? [Intermediate] : [], offline: true),
        CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };

    /// <summary>Options of a client that offers no suite but one, and http/1.1 after a protocol that nobody has.</summary>
    public static SslClientAuthenticationOptions Client(TlsCipherSuite suite) => new()
    {
        TargetHost = "localhost",
        CertificateChainPolicy = TrustRoot(),
        CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
        ApplicationProtocols = [new SslApplicationProtocol("x-nobody"), SslApplicationProtocol.Http11],
    };

    private static X509ChainPolicy TrustRoot()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(Root);
        return policy;
    }

    private static X509Certificate2 CreateRoot()
    {
        var request = new CertificateRequest("CN=KTls interop root", RootKey, HashAlgorithmName.SHA256);
        MakeAuthority(request);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-3), DateTimeOffset.UtcNow.AddDays(30));
    }

    private static X509Certificate2 CreateIntermediate()
    {
        var request = new CertificateRequest("CN=KTls interop intermediate", IntermediateKey, HashAlgorithmName.SHA256);
        MakeAuthority(request);
        return Sign(request, Root, RootKey);
    }

    private static void MakeAuthority(CertificateRequest request)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
    }

    private static X509Certificate2 Issue(AsymmetricAlgorithm key)
    {
        CertificateRequest request = key is ECDsa ecdsa
            ? new CertificateRequest("CN=localhost", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest("CN=localhost", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        using X509Certificate2 certificate = Sign(request, Intermediate, IntermediateKey);
        return key is ECDsa ec ? certificate.CopyWithPrivateKey(ec) : certificate.CopyWithPrivateKey((RSA)key);
    }

    private static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 issuer, ECDsa issuerKey) => request.Create(
        issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(7), RandomNumberGenerator.GetBytes(8));
}
