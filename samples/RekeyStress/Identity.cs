using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace RekeyStress;

/// <summary>A certificate of this run's own, and what both ends of a handshake need of it.</summary>
internal sealed class Identity : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly SslStreamCertificateContext _context;

    public Identity()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset start = DateTimeOffset.UtcNow.AddDays(-1);
        _certificate = request.CreateSelfSigned(start, start.AddDays(30));
        _context = SslStreamCertificateContext.Create(_certificate, null, offline: true);
        Client = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = SslProtocols.Tls13,

            // That one and no other.
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawDataMemory.Span),
        };
    }

    public SslClientAuthenticationOptions Client { get; }

    public SslServerAuthenticationOptions Server(TlsCipherSuite suite) => new()
    {
        ServerCertificateContext = _context,
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
    };

    /// <summary>Writes cert.pem and key.pem, for other programs.</summary>
    public void WriteFiles(string folder)
    {
        using ECDsa key = _certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(folder, "cert.pem"), _certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _certificate.Dispose();
}
