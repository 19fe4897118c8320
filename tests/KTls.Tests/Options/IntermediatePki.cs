using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests;

/// <summary>A certificate for "localhost" below an intermediate below the tests' root.</summary>
internal static class IntermediatePki
{
    public static (X509Certificate2 Leaf, X509Certificate2 Intermediate) Issue()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KTls test intermediate", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 bare = request.Create(
            TestPki.Root.SubjectName, X509SignatureGenerator.CreateForECDsa(TestPki.Root.GetECDsaPrivateKey()!), now.AddDays(-2), now.AddDays(8), RandomNumberGenerator.GetBytes(8));
        X509Certificate2 intermediate = X509CertificateLoader.LoadCertificate(bare.RawData);

        ECDsa leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var leaf = new CertificateRequest("CN=localhost", leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        leaf.CertificateExtensions.Add(names.Build());
        X509Certificate2 certificate = leaf.Create(
            intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now.AddDays(-1), now.AddDays(7), RandomNumberGenerator.GetBytes(8));
        return (certificate.CopyWithPrivateKey(leafKey), intermediate);
    }
}
