using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake;

namespace KTls.Tests.Credentials;

/// <summary>Credentials for host names, below <see cref="TestPki.Root"/>.</summary>
internal static class Sites
{
    public static CertificateCredential Ecdsa(string host) => CertificateCredential.FromCertificate(TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), host));

    public static CertificateCredential Rsa(string host) => CertificateCredential.FromCertificate(TestPki.Issue(RSA.Create(2048), host));

    public static KTlsOptions Options(params CertificateCredential[] credentials) =>
        new() { DataPlane = DataPlanePolicy.UserSpace, ServerCredentials = new ServerCredentials(credentials) };

    public static SslClientAuthenticationOptions Client(string host, Action<SslClientAuthenticationOptions>? change = null)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = TestPki.TrustRoot() };
        change?.Invoke(options);
        return options;
    }
}
