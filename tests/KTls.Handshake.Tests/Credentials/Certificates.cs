using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Certificates for tests in which only names, issuers and kinds of keys matter.</summary>
internal static class Certificates
{
    private static readonly RSA RsaKey = RSA.Create(2048);

    public static CertificateCredential Ecdsa(params string[] names) => Credential(ECDsa.Create(ECCurve.NamedCurves.nistP256), names);

    public static CertificateCredential Rsa(params string[] names) => Credential(RsaKey, names);

    /// <summary>An authority: its certificate, and one that issues.</summary>
    public static (X509Certificate2 Certificate, ECDsa Key) Authority(string name, (X509Certificate2 Certificate, ECDsa Key)? issuer = null, ECDsa? key = null, int days = 30)
    {
        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (Issue(name, key, issuer, isAuthority: true, days: days), key);
    }

    public static X509Certificate2 Issue(string name, AsymmetricAlgorithm key, (X509Certificate2 Certificate, ECDsa Key)? issuer, string[]? names = null, bool isAuthority = false, int days = 30)
    {
        CertificateRequest request = key is ECDsa ecdsa
            ? new CertificateRequest($"CN={name}", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest($"CN={name}", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (issuer is { } above)
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
                above.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single()));
        }

        if (names is { Length: > 0 })
        {
            var builder = new SubjectAlternativeNameBuilder();
            Array.ForEach(names, builder.AddDnsName);
            request.CertificateExtensions.Add(builder.Build());
        }

        using ECDsa ownKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(issuer?.Key ?? key as ECDsa ?? ownKey);
        return request.Create(
            issuer?.Certificate.SubjectName ?? request.SubjectName, signer, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
    }

    private static CertificateCredential Credential(AsymmetricAlgorithm key, string[] names)
    {
        X509Certificate2 certificate = Issue("test", key, issuer: null, names);
        X509Certificate2 withKey = key is ECDsa ecdsa ? certificate.CopyWithPrivateKey(ecdsa) : certificate.CopyWithPrivateKey((RSA)key);
        return CertificateCredential.FromCertificate(withKey);
    }
}
