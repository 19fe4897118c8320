using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ed25519Key = NSec.Cryptography.PublicKey;

namespace KTls.Handshake.Crypto;

/// <summary>What the signature schemes of TLS 1.3 and 1.2 stand for, and checking signatures with a certificate's key.</summary>
internal static class SignatureAlgorithm
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string RsassaPss = "1.2.840.113549.1.1.10";
    private const string Ed25519 = "1.3.101.112";

    /// <summary>Schemes that certificates may be signed with, beside those of the handshake (RFC 8446 §4.2.3).</summary>
    public static SignatureScheme[] ForCertificatesOnly { get; } =
    [
        SignatureScheme.RsaPkcs1Sha256,
        SignatureScheme.RsaPkcs1Sha384,
        SignatureScheme.RsaPkcs1Sha512,
    ];

    /// <summary>Schemes that a peer may sign a TLS 1.3 handshake with, in the order of preference.</summary>
    public static SignatureScheme[] ForHandshake13 { get; } =
    [
        SignatureScheme.EcdsaSecp256r1Sha256,
        SignatureScheme.Ed25519,
        SignatureScheme.RsaPssRsaeSha256,
        SignatureScheme.RsaPssPssSha256,
        SignatureScheme.EcdsaSecp384r1Sha384,
        SignatureScheme.RsaPssRsaeSha384,
        SignatureScheme.RsaPssPssSha384,
        SignatureScheme.EcdsaSecp521r1Sha512,
        SignatureScheme.RsaPssRsaeSha512,
        SignatureScheme.RsaPssPssSha512,
    ];

    /// <summary>Schemes that a peer may sign a TLS 1.2 handshake with: PKCS #1 too, SHA-1 never (RFC 9155).</summary>
    public static SignatureScheme[] ForHandshake12 { get; } = [.. ForHandshake13, .. ForCertificatesOnly];

    // The namedCurve parameter of an EC key in DER (RFC 5480 §2.1.1).
    private static ReadOnlySpan<byte> P256 => [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

    private static ReadOnlySpan<byte> P384 => [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

    private static ReadOnlySpan<byte> P521 => [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];

    /// <summary>The kind of key that a scheme signs with.</summary>
    public static CertificateKeyKind KindOf(SignatureScheme scheme) =>
        IsEcdsa(scheme) || scheme == SignatureScheme.Ed25519 ? CertificateKeyKind.Ecdsa : CertificateKeyKind.Rsa;

    /// <summary>The hash of a scheme; Ed25519 has none to choose.</summary>
    public static HashAlgorithmName Hash(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.EcdsaSecp256r1Sha256 or SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssPssSha256
            or SignatureScheme.RsaPkcs1Sha256 => HashAlgorithmName.SHA256,
        SignatureScheme.EcdsaSecp384r1Sha384 or SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssPssSha384
            or SignatureScheme.RsaPkcs1Sha384 => HashAlgorithmName.SHA384,
        SignatureScheme.EcdsaSecp521r1Sha512 or SignatureScheme.RsaPssRsaeSha512 or SignatureScheme.RsaPssPssSha512
            or SignatureScheme.RsaPkcs1Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Not a scheme with a hash."),
    };

    /// <summary>The one scheme that TLS 1.3 has for an ECDSA key; null for other curves.</summary>
    public static SignatureScheme? ForCurve(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value switch
    {
        "1.2.840.10045.3.1.7" => SignatureScheme.EcdsaSecp256r1Sha256,
        "1.3.132.0.34" => SignatureScheme.EcdsaSecp384r1Sha384,
        "1.3.132.0.35" => SignatureScheme.EcdsaSecp521r1Sha512,
        _ => null,
    };

    /// <summary>Checks the signature of a handshake message with the key of the peer's certificate.</summary>
    /// <param name="certificate">The peer's certificate.</param>
    /// <param name="isTls13">Whether the rules are those of TLS 1.3; else of TLS 1.2.</param>
    /// <param name="scheme">The scheme that the peer names.</param>
    /// <param name="content">What is signed.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="message">The name of the message that carries it.</param>
    /// <exception cref="TlsAlertException">The scheme was not offered or does not go with the key, the certificate does not
    /// allow the key to sign, or the signature is wrong.</exception>
    public static void Verify(X509Certificate2 certificate, bool isTls13, SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature, string message)
    {
        if (Array.IndexOf(isTls13 ? ForHandshake13 : ForHandshake12, scheme) < 0)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"{message} is signed with {scheme}, which was not offered.");
        }

        bool isValid;
        try
        {
            if (!Fits(certificate.PublicKey, isTls13, scheme))
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, $"{message} is signed with {scheme}, which does not go with the certificate's key.");
            }

            PeerKeyUsage.RequireDigitalSignature(certificate);
            PeerRsaKey.RequireSize(certificate.PublicKey);
            isValid = IsValid(certificate, scheme, content, signature);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new TlsAlertException(AlertDescription.BadCertificate, "The key of the peer's certificate cannot be used.", e);
        }

        if (!isValid)
        {
            throw new TlsAlertException(AlertDescription.DecryptError, $"The signature of {message} is wrong.");
        }
    }

    private static bool Fits(PublicKey key, bool isTls13, SignatureScheme scheme) => key.Oid.Value switch
    {
        EcPublicKey => FitsCurve(key.EncodedParameters?.RawData, isTls13, scheme),
        RsaEncryption => IsRsaePss(scheme) || IsPkcs1(scheme),
        RsassaPss => RsassaPssParameters.SchemesFor(key.EncodedParameters?.RawData).Contains(scheme),
        Ed25519 => scheme == SignatureScheme.Ed25519,
        _ => false,
    };

    // The curve by its name in the certificate, before the key is touched: explicit parameters may name another generator, for
    // which anybody finds a private key (CVE-2020-0601; RFC 5480 §2.1.1 forbids them). In TLS 1.2 the scheme says no more than
    // the hash, and the curve is one of the groups that were offered (RFC 8446 §4.2.3, RFC 8422 §5.1.1).
    private static bool FitsCurve(ReadOnlySpan<byte> parameters, bool isTls13, SignatureScheme scheme)
    {
        SignatureScheme? ofCurve =
            parameters.SequenceEqual(P256) ? SignatureScheme.EcdsaSecp256r1Sha256
            : parameters.SequenceEqual(P384) ? SignatureScheme.EcdsaSecp384r1Sha384
            : parameters.SequenceEqual(P521) ? SignatureScheme.EcdsaSecp521r1Sha512
            : null;
        return ofCurve == scheme || (!isTls13 && ofCurve is not null && IsEcdsa(scheme));
    }

    private static bool IsValid(X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (scheme == SignatureScheme.Ed25519)
        {
            return IsValidEd25519(certificate.PublicKey.EncodedKeyValue.RawData, content, signature);
        }

        if (IsEcdsa(scheme))
        {
            using ECDsa ecdsa = certificate.GetECDsaPublicKey() ?? throw new CryptographicException("Not an ECDSA key.");
            return ecdsa.VerifyData(content, signature, Hash(scheme), DSASignatureFormat.Rfc3279DerSequence);
        }

        using RSA rsa = IsPssPss(scheme) ? OpenPssKey(certificate) : certificate.GetRSAPublicKey() ?? throw new CryptographicException("Not an RSA key.");
        return rsa.VerifyData(content, signature, Hash(scheme), IsPkcs1(scheme) ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);
    }

    // .NET opens only keys of type rsaEncryption by itself; inside, both types are the same RSAPublicKey (RFC 4055 §1.2).
    private static RSA OpenPssKey(X509Certificate2 certificate)
    {
        byte[] encoded = certificate.PublicKey.EncodedKeyValue.RawData;
        RSA rsa = RSA.Create();
        try
        {
            rsa.ImportRSAPublicKey(encoded, out int length);
            return length == encoded.Length ? rsa : throw new CryptographicException("There are bytes behind the end of the key.");
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    private static bool IsValidEd25519(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        NSec.Cryptography.Ed25519 algorithm = NSec.Cryptography.SignatureAlgorithm.Ed25519;
        return Ed25519Key.TryImport(algorithm, publicKey, NSec.Cryptography.KeyBlobFormat.RawPublicKey, out Ed25519Key? key) && key is not null
            ? algorithm.Verify(key, content, signature)
            : throw new CryptographicException("Not an Ed25519 key.");
    }

    private static bool IsEcdsa(SignatureScheme scheme) =>
        scheme is SignatureScheme.EcdsaSecp256r1Sha256 or SignatureScheme.EcdsaSecp384r1Sha384 or SignatureScheme.EcdsaSecp521r1Sha512;

    private static bool IsRsaePss(SignatureScheme scheme) =>
        scheme is SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssRsaeSha512;

    private static bool IsPssPss(SignatureScheme scheme) =>
        scheme is SignatureScheme.RsaPssPssSha256 or SignatureScheme.RsaPssPssSha384 or SignatureScheme.RsaPssPssSha512;

    /// <summary>Whether a scheme is of RSASSA-PKCS1-v1_5.</summary>
    public static bool IsPkcs1(SignatureScheme scheme) =>
        scheme is SignatureScheme.RsaPkcs1Sha256 or SignatureScheme.RsaPkcs1Sha384 or SignatureScheme.RsaPkcs1Sha512;
}
