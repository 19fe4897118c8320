using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>A certificate with its chain and its private key, ready to sign handshakes; for many handshakes at once.</summary>
public sealed class CertificateCredential
{
    private readonly AsymmetricAlgorithm _privateKey;

    private CertificateCredential(X509Certificate2 certificate, byte[][] chain, AsymmetricAlgorithm privateKey, SignatureScheme[] schemes)
    {
        Certificate = certificate;
        Chain = chain;
        _privateKey = privateKey;
        Schemes = schemes;
    }

    /// <summary>The end-entity certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificates to send, DER each, the end-entity's first.</summary>
    internal byte[][] Chain { get; }

    /// <summary>What the key can sign with in TLS 1.3, in the order of preference.</summary>
    internal SignatureScheme[] Schemes { get; }

    /// <summary>Makes a credential from what <see cref="SslStream"/> takes.</summary>
    /// <param name="context">The certificate, its private key and the intermediates to send.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="reason">When false is returned: why the key cannot sign here.</param>
    /// <returns>Whether the certificate's key can sign TLS 1.3 handshakes here.</returns>
    public static bool TryCreate(SslStreamCertificateContext context, [NotNullWhen(true)] out CertificateCredential? credential, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(context);
        X509Certificate2 certificate = context.TargetCertificate;
        credential = null;
        if (!certificate.HasPrivateKey)
        {
            reason = "the certificate comes without its private key";
            return false;
        }

        if (!TryOpenKey(certificate, out AsymmetricAlgorithm? key, out SignatureScheme[] schemes))
        {
            reason = $"a certificate key of type {certificate.PublicKey.Oid.FriendlyName ?? certificate.PublicKey.Oid.Value} cannot sign here";
            return false;
        }

        byte[][] chain = [certificate.RawData, .. context.IntermediateCertificates.Select(intermediate => intermediate.RawData)];
        credential = new CertificateCredential(certificate, chain, key, schemes);
        reason = null;
        return true;
    }

    /// <summary>Signs the content of a CertificateVerify.</summary>
    internal byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content)
    {
        // Both classes sign without changing themselves: each call makes a native context of its own.
        HashAlgorithmName hash = SignatureAlgorithm.Hash(scheme);
        Span<byte> signature = stackalloc byte[1024];
        int length;
        bool fits = _privateKey switch
        {
            ECDsa ecdsa => ecdsa.TrySignData(content, signature, hash, DSASignatureFormat.Rfc3279DerSequence, out length),
            RSA rsa => rsa.TrySignData(content, signature, hash, RSASignaturePadding.Pss, out length),
            _ => throw new InvalidOperationException("Not a key that signs."),
        };
        return fits ? signature[..length].ToArray() : throw new CryptographicException("The signature is over 1024 bytes.");
    }

    private static bool TryOpenKey(X509Certificate2 certificate, [NotNullWhen(true)] out AsymmetricAlgorithm? key, out SignatureScheme[] schemes)
    {
        ECDsa? ecdsa = certificate.GetECDsaPrivateKey();
        if (ecdsa is not null)
        {
            SignatureScheme? scheme = SignatureAlgorithm.ForCurve(ecdsa);
            key = ecdsa;
            schemes = scheme is { } known ? [known] : [];
            return schemes.Length != 0;
        }

        key = certificate.GetRSAPrivateKey();
        schemes = key is null ? [] : RsaSchemes(key.KeySize);
        return schemes.Length != 0;
    }

    // RSASSA-PSS needs room for two hashes and two bytes (RFC 8017 §9.1.1).
    private static SignatureScheme[] RsaSchemes(int keySize)
    {
        (SignatureScheme Scheme, int HashLength)[] all =
        [
            (SignatureScheme.RsaPssRsaeSha256, 32),
            (SignatureScheme.RsaPssRsaeSha384, 48),
            (SignatureScheme.RsaPssRsaeSha512, 64),
        ];
        return [.. all.Where(s => (keySize / 8) >= (2 * s.HashLength) + 2).Select(s => s.Scheme)];
    }
}
