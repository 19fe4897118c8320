using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>What a certificate's public key is, and what its private key can sign with.</summary>
internal sealed class CertificateKey
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string RsassaPss = "1.2.840.113549.1.1.10";
    private const string Ed25519 = "1.3.101.112";

    // NIST SP 800-131A Rev. 2; certificate authorities, browsers and OpenSSL's default security level agree.
    private const int MinRsaBits = 2048;

    private static readonly SignatureScheme[] RsaePss = [SignatureScheme.RsaPssRsaeSha256, SignatureScheme.RsaPssRsaeSha384, SignatureScheme.RsaPssRsaeSha512];
    private static readonly SignatureScheme[] Pkcs1 = [SignatureScheme.RsaPkcs1Sha256, SignatureScheme.RsaPkcs1Sha384, SignatureScheme.RsaPkcs1Sha512];

    private CertificateKey(CertificateKeyKind kind, SignatureScheme[] schemes, SignatureScheme[] tls12Schemes, NamedGroup? curve = null)
    {
        Kind = kind;
        Schemes = schemes;
        Tls12Schemes = tls12Schemes;
        Curve = curve;
    }

    public CertificateKeyKind Kind { get; }

    /// <summary>The curve of an ECDSA key.</summary>
    public NamedGroup? Curve { get; }

    /// <summary>For TLS 1.3, in the order of preference.</summary>
    public SignatureScheme[] Schemes { get; }

    /// <summary>For TLS 1.2, in the order of preference.</summary>
    public SignatureScheme[] Tls12Schemes { get; }

    public static bool TryRead(X509Certificate2 certificate, [NotNullWhen(true)] out CertificateKey? key, [NotNullWhen(false)] out string? reason)
    {
        PublicKey publicKey = certificate.PublicKey;
        try
        {
            // RFC 8446 §4.4.2.2, RFC 5246 §7.4.2
            if (certificate.Extensions.OfType<X509KeyUsageExtension>().Any(usage => !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature)))
            {
                (key, reason) = (null, "the certificate's keyUsage does not allow its key to sign");
                return false;
            }

            (key, reason) = publicKey.Oid.Value switch
            {
                EcPublicKey => ReadEc(publicKey),
                RsaEncryption => ReadRsa(publicKey, RsaePss, [.. RsaePss, .. Pkcs1]),
                RsassaPss => ReadRsassaPss(publicKey),
                Ed25519 => (new CertificateKey(CertificateKeyKind.Ecdsa, [SignatureScheme.Ed25519], [SignatureScheme.Ed25519]), null),
                _ => (null, $"a certificate key of type {publicKey.Oid.FriendlyName ?? publicKey.Oid.Value} is not supported; ECDSA, RSA and Ed25519 are"),
            };
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            (key, reason) = (null, "the certificate's public key or keyUsage is malformed");
        }

        return key is not null;
    }

    private static (CertificateKey? Key, string? Reason) ReadEc(PublicKey publicKey)
    {
        // The curve by its name: explicit parameters are forbidden (RFC 5480 §2.1.1).
        var parameters = new AsnReader(publicKey.EncodedParameters?.RawData ?? [], AsnEncodingRules.DER);
        string? curve = parameters.PeekTag() == Asn1Tag.ObjectIdentifier ? parameters.ReadObjectIdentifier() : null;

        // TLS 1.3 binds a curve to one hash; in TLS 1.2 any hash goes with any curve (RFC 8446 §4.2.3), the curve's own first.
        const SignatureScheme Sha256 = SignatureScheme.EcdsaSecp256r1Sha256;
        const SignatureScheme Sha384 = SignatureScheme.EcdsaSecp384r1Sha384;
        const SignatureScheme Sha512 = SignatureScheme.EcdsaSecp521r1Sha512;
        return curve switch
        {
            "1.2.840.10045.3.1.7" => (new CertificateKey(CertificateKeyKind.Ecdsa, [Sha256], [Sha256, Sha384, Sha512], NamedGroup.Secp256r1), null),
            "1.3.132.0.34" => (new CertificateKey(CertificateKeyKind.Ecdsa, [Sha384], [Sha384, Sha256, Sha512], NamedGroup.Secp384r1), null),
            "1.3.132.0.35" => (new CertificateKey(CertificateKeyKind.Ecdsa, [Sha512], [Sha512, Sha256, Sha384], NamedGroup.Secp521r1), null),
            null => (null, "a certificate key on a curve without a name is not supported; P-256, P-384 and P-521 are"),
            _ => (null, $"a certificate key on the curve {new Oid(curve).FriendlyName ?? curve} is not supported; P-256, P-384 and P-521 are"),
        };
    }

    private static (CertificateKey? Key, string? Reason) ReadRsa(PublicKey publicKey, SignatureScheme[] schemes, SignatureScheme[] tls12Schemes)
    {
        int bits = RsaBits(publicKey);
        return bits < MinRsaBits
            ? (null, $"an RSA key of {bits} bits is too short; {MinRsaBits} are the least")
            : (new CertificateKey(CertificateKeyKind.Rsa, schemes, tls12Schemes), null);
    }

    private static (CertificateKey? Key, string? Reason) ReadRsassaPss(PublicKey publicKey)
    {
        SignatureScheme[] schemes = [.. RsassaPssParameters.SchemesFor(publicKey.EncodedParameters?.RawData)];
        return schemes.Length == 0
            ? (null, "the parameters of the certificate's RSASSA-PSS key go with no signature scheme of TLS")
            : ReadRsa(publicKey, schemes, schemes);
    }

    /// <summary>The size of the modulus of an RSA key, of either type.</summary>
    /// <exception cref="AsnContentException">It is malformed.</exception>
    public static int RsaBits(PublicKey publicKey)
    {
        AsnReader key = new AsnReader(publicKey.EncodedKeyValue.RawData, AsnEncodingRules.DER).ReadSequence();
        ReadOnlySpan<byte> modulus = key.ReadIntegerBytes().Span.TrimStart((byte)0);
        return modulus.IsEmpty ? 0 : (modulus.Length * 8) - System.Numerics.BitOperations.LeadingZeroCount((uint)modulus[0]) + 24;
    }
}
