using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BenchmarkDotNet.Attributes;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Bench.Parts;

/// <summary>The signature of a CertificateVerify. Checking it begins, as in a handshake, with a certificate just loaded.</summary>
public class Signatures
{
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(130);
    private byte[] _certificate = [];
    private byte[] _signature = [];
    private CertificateCredential? _credential;

    [Params(SignatureScheme.EcdsaSecp256r1Sha256, SignatureScheme.RsaPssRsaeSha256)]
    public SignatureScheme Scheme { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _credential = Scheme == SignatureScheme.EcdsaSecp256r1Sha256 ? Credential.Ecdsa : Credential.Rsa;
        _certificate = _credential.Certificate.RawData;
        _signature = Sign();
    }

    [Benchmark]
    public byte[] Sign() => _credential!.Sign(Scheme, _content);

    [Benchmark]
    public void LoadAndVerify()
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(_certificate);
        SignatureAlgorithm.Verify(certificate, isTls13: true, Scheme, _content, _signature, "CertificateVerify");
    }

    [Benchmark]
    public void Load() => X509CertificateLoader.LoadCertificate(_certificate).Dispose();
}
