using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;
using KTls.Tests;

namespace KTls.Bench.Parts;

/// <summary>Credentials for a handshake without sockets.</summary>
internal static class Credential
{
    public static CertificateCredential Ecdsa { get; } = Create(TestPki.Ecdsa);

    public static CertificateCredential Rsa { get; } = Create(TestPki.Rsa);

    private static CertificateCredential Create(X509Certificate2 certificate)
    {
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(certificate, [], offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new InvalidOperationException(reason);
    }
}
