using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests;

/// <summary>Certificates for "localhost" that a root of this process' own making signed.</summary>
internal static class TestCertificates
{
    public static X509Certificate2 Root { get; } = CreateRoot();

    public static CertificateCredential Ecdsa { get; } = Create(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static CertificateCredential Ecdsa384 { get; } = Create(ECDsa.Create(ECCurve.NamedCurves.nistP384));

    public static CertificateCredential Rsa { get; } = Create(RSA.Create(2048));

    public static CertificateCredential ByName(string name) => name switch
    {
        "ecdsa" => Ecdsa,
        "ecdsa384" => Ecdsa384,
        "rsa" => Rsa,
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    private static X509Certificate2 CreateRoot()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KTls test root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(20));
    }

    private static CertificateCredential Create(AsymmetricAlgorithm key)
    {
        CertificateRequest request = key is ECDsa ecdsa
            ? new CertificateRequest("CN=localhost", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest("CN=localhost", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(Root.GetECDsaPrivateKey()!);
        X509Certificate2 certificate = request.Create(Root.SubjectName, signer, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddYears(19), serial);
        certificate = key is ECDsa ec ? certificate.CopyWithPrivateKey(ec) : certificate.CopyWithPrivateKey((RSA)key);
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(certificate, [], offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason) ? credential : throw new InvalidOperationException(reason);
    }
}
