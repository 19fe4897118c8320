using System.Formats.Asn1;
using System.Text;
using KTls.Fuzz.Handshakes;
using KTls.Handshake;

namespace KTls.Fuzz.Parsers;

/// <summary>The files that certificates and keys come in.</summary>
internal static class CredentialTargets
{
    public const string Password = "open sesame";

    public static IEnumerable<Target> All { get; } =
    [
        OfFiles("Pem", ReadPem),
        OfFiles(nameof(Pkcs7), input => ReadDer(input)) with { IsDer = true },
        OfFiles("Pkcs8", input => ReadDer(input)) with { IsDer = true },
        OfFiles(nameof(Pkcs12), input => ReadDer(input)) with { IsDer = true },
        OfFiles(nameof(OcspResponse), input => _ = new OcspResponse(input.ToArray(), TestKeys.P256.Certificate).At(FixedClock.Instance.GetUtcNow())) with { IsDer = true },
        new(nameof(RsassaPssParameters), input => _ = RsassaPssParameters.SchemesFor(input.ToArray()).Count()) { IsDer = true, Documented = typeof(AsnContentException), MaxLength = 256 },
    ];

    private static Target OfFiles(string name, InputConsumer run) => new(name, run) { Documented = typeof(CredentialException), MaxAllocation = 2 << 20, MaxLength = 8192 };

    private static void ReadPem(ReadOnlySpan<byte> input)
    {
        var material = new CredentialMaterial();
        Pem.Read(Encoding.Latin1.GetString(input), material, CredentialParts.All, Password);
        Join(material);
    }

    // The format shows in the content, as with a file.
    private static void ReadDer(ReadOnlySpan<byte> input)
    {
        var material = new CredentialMaterial();
        Der.Read(input.ToArray(), material, CredentialParts.All, Password);
        Join(material);
    }

    // A certificate alone, or a key alone, meets its other half here.
    private static void Join(CredentialMaterial material)
    {
        if (material.Certificates.Count == 0)
        {
            material.Certificates.AddRange(TestKeys.All.Select(credential => credential.Certificate));
        }

        try
        {
            CertificateCredential credential = material.ToCredential("certificates", "keys");
            SignatureScheme scheme = credential.Tls12Schemes[0];
            Handshake.Crypto.SignatureAlgorithm.Verify(credential.Certificate, isTls13: false, scheme, "content"u8, credential.Sign(scheme, "content"u8), "nothing");
        }
        finally
        {
            material.Certificates.Where(certificate => !TestKeys.All.Any(credential => ReferenceEquals(credential.Certificate, certificate))).ToList().ForEach(certificate => certificate.Dispose());
        }
    }
}
