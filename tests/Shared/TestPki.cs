using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests;

/// <summary>A root of this process' own making and certificates for "localhost" below it.</summary>
internal static class TestPki
{
    public static X509Certificate2 Root { get; } = CreateRoot();

    public static X509Certificate2 Ecdsa { get; } = Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static X509Certificate2 Rsa { get; } = Issue(RSA.Create(2048));

    public static SslServerAuthenticationOptions Server(X509Certificate2? certificate = null) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate ?? Ecdsa, [], offline: true),
    };

    public static SslClientAuthenticationOptions Client() => new()
    {
        TargetHost = "localhost",
        CertificateChainPolicy = TrustRoot(),
    };

    public static X509ChainPolicy TrustRoot()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(Root);
        return policy;
    }

    public static X509Certificate2 Issue(AsymmetricAlgorithm key, string host = "localhost", DateTimeOffset? notAfter = null, string? extendedKeyUsage = null)
    {
        CertificateRequest request = key is ECDsa ecdsa
            ? new CertificateRequest($"CN={host}", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest($"CN={host}", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        if (extendedKeyUsage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(extendedKeyUsage)], critical: false));
        }

        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(Root.GetECDsaPrivateKey()!);
        X509Certificate2 certificate = request.Create(
            Root.SubjectName, signer, DateTimeOffset.UtcNow.AddDays(-2), notAfter ?? DateTimeOffset.UtcNow.AddDays(7), RandomNumberGenerator.GetBytes(8));
        return key is ECDsa ec ? certificate.CopyWithPrivateKey(ec) : certificate.CopyWithPrivateKey((RSA)key);
    }

    private static X509Certificate2 CreateRoot()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KTls test root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-3), DateTimeOffset.UtcNow.AddDays(30));
    }
}
