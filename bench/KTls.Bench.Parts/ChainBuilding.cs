using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using BenchmarkDotNet.Attributes;
using KTls.Handshake;
using KTls.Tests;

namespace KTls.Bench.Parts;

/// <summary>A client's verdict on the server's certificate: loaded, chain built, name compared.</summary>
public class ChainBuilding
{
    private readonly byte[] _certificate = TestPki.Ecdsa.RawData;
    private readonly X509ChainPolicy _policy = TestPki.TrustRoot();

    [Benchmark]
    public SslPolicyErrors LoadAndValidate()
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(_certificate);
        using var chain = new X509Chain();
        chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(_policy, X509RevocationMode.NoCheck, []);
        SslPolicyErrors errors = PeerCertificateValidation.Validate(chain, certificate, "localhost");
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return errors;
    }
}
