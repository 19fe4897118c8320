using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Tests.Credentials;

/// <summary>Credentials for host names, below <see cref="TestPki.Root"/>.</summary>
internal static class Sites
{
    public static CertificateCredential Ecdsa(string host) => Credential(TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), host));

    public static CertificateCredential Rsa(string host) => Credential(TestPki.Issue(RSA.Create(2048), host));

    public static CertificateCredential Credential(X509Certificate2 certificate) =>
        CertificateCredential.TryCreate(SslStreamCertificateContext.Create(certificate, [], offline: true), out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new InvalidOperationException(reason);

    public static KTlsOptions Options(params CertificateCredential[] credentials) =>
        new() { DataPlane = DataPlanePolicy.UserSpace, ServerCredentials = new ServerCredentials(credentials) };

    public static SslClientAuthenticationOptions Client(string host, Action<SslClientAuthenticationOptions>? change = null)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = TestPki.TrustRoot() };
        change?.Invoke(options);
        return options;
    }
}
