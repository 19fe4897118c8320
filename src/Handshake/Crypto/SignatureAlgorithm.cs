using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Crypto;

/// <summary>What the signature schemes of TLS 1.3 stand for, and checking signatures with a certificate's key.</summary>
internal static class SignatureAlgorithm
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";
    private const string P521 = "1.3.132.0.35";

    /// <summary>Schemes that a peer may sign a CertificateVerify with, in the order of preference.</summary>
    public static SignatureScheme[] ForHandshake { get; } =
    [
        SignatureScheme.EcdsaSecp256r1Sha256,
        SignatureScheme.RsaPssRsaeSha256,
        SignatureScheme.EcdsaSecp384r1Sha384,
        SignatureScheme.RsaPssRsaeSha384,
        SignatureScheme.EcdsaSecp521r1Sha512,
        SignatureScheme.RsaPssRsaeSha512,
    ];

    /// <summary>Schemes that certificates may be signed with, beside those of the handshake (RFC 8446 §4.2.3).</summary>
    public static SignatureScheme[] ForCertificatesOnly { get; } =
    [
        SignatureScheme.RsaPkcs1Sha256,
        SignatureScheme.RsaPkcs1Sha384,
        SignatureScheme.RsaPkcs1Sha512,
    ];

    public static HashAlgorithmName Hash(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.EcdsaSecp256r1Sha256 or SignatureScheme.RsaPssRsaeSha256 => HashAlgorithmName.SHA256,
        SignatureScheme.EcdsaSecp384r1Sha384 or SignatureScheme.RsaPssRsaeSha384 => HashAlgorithmName.SHA384,
        SignatureScheme.EcdsaSecp521r1Sha512 or SignatureScheme.RsaPssRsaeSha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Not a scheme of the handshake."),
    };

    /// <summary>The one scheme that TLS 1.3 has for an ECDSA key; null for other curves.</summary>
    public static SignatureScheme? ForCurve(ECDsa key) => ForCurve(key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value);

    private static SignatureScheme? ForCurve(string? oid) => oid switch
    {
        P256 => SignatureScheme.EcdsaSecp256r1Sha256,
        P384 => SignatureScheme.EcdsaSecp384r1Sha384,
        P521 => SignatureScheme.EcdsaSecp521r1Sha512,
        _ => null,
    };

    /// <summary>Checks a signature with the key of a certificate.</summary>
    /// <exception cref="TlsAlertException">The scheme does not go with the key, or the signature is wrong.</exception>
    public static void Verify(X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (Array.IndexOf(ForHandshake, scheme) < 0)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"CertificateVerify is signed with {scheme}, which was not offered.");
        }

        if (!IsValid(certificate, scheme, content, signature))
        {
            throw new TlsAlertException(AlertDescription.DecryptError, "The signature of CertificateVerify is wrong.");
        }
    }

    private static bool IsValid(X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (certificate.PublicKey.Oid.Value == EcPublicKey)
            {
                // The curve by its name in the certificate, before the key is touched: explicit parameters may name another
                // generator, for which anybody finds a private key (CVE-2020-0601; RFC 5480 §2.1.1 forbids them).
                if (ForCurve(NamedCurve(certificate)) != scheme)
                {
                    throw SchemeDoesNotFit(scheme);
                }

                using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
                return ecdsa is not null && ecdsa.VerifyData(content, signature, Hash(scheme), DSASignatureFormat.Rfc3279DerSequence);
            }

            using RSA? rsa = certificate.GetRSAPublicKey();
            if (rsa is not null && scheme is (SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssRsaeSha512))
            {
                return rsa.VerifyData(content, signature, Hash(scheme), RSASignaturePadding.Pss);
            }
        }
        catch (CryptographicException e)
        {
            throw new TlsAlertException(AlertDescription.BadCertificate, "The key of the peer's certificate cannot be used.", e);
        }

        throw SchemeDoesNotFit(scheme);
    }

    private static TlsAlertException SchemeDoesNotFit(SignatureScheme scheme) =>
        new(AlertDescription.IllegalParameter, $"CertificateVerify is signed with {scheme}, which does not go with the certificate's key.");

    private static string? NamedCurve(X509Certificate2 certificate)
    {
        try
        {
            return AsnDecoder.ReadObjectIdentifier(certificate.PublicKey.EncodedParameters?.RawData ?? [], AsnEncodingRules.DER, out _);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
