using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NSec.Cryptography;
using SignatureSchemes = KTls.Handshake.Crypto.SignatureAlgorithm;

namespace KTls.Handshake;

/// <summary>A private key in this process. Signs for many handshakes at once.</summary>
internal abstract class SigningKey
{
    public static SigningKey? Open(X509Certificate2 certificate)
    {
        if (certificate.GetECDsaPrivateKey() is { } ecdsa)
        {
            return new EcdsaKey(ecdsa);
        }

        return certificate.GetRSAPrivateKey() is { } rsa ? new RsaKey(rsa) : null;
    }

    public abstract byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content);

    /// <summary>Whether the certificate's public key is this key's.</summary>
    public abstract bool BelongsTo(X509Certificate2 certificate);

    /// <summary>The certificate together with the key; null where .NET has no such pair.</summary>
    public abstract X509Certificate2? JoinWith(X509Certificate2 certificate);

    // ECDsa and RSA sign without changing themselves: each call makes a native context of its own.
    public sealed class EcdsaKey(ECDsa key) : SigningKey
    {
        public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) =>
            key.SignData(content, SignatureSchemes.Hash(scheme), DSASignatureFormat.Rfc3279DerSequence);

        public override bool BelongsTo(X509Certificate2 certificate) =>
            certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());

        public override X509Certificate2? JoinWith(X509Certificate2 certificate) => certificate.CopyWithPrivateKey(key);
    }

    public sealed class RsaKey(RSA key) : SigningKey
    {
        private const string RsaEncryption = "1.2.840.113549.1.1.1";

        public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) =>
            key.SignData(content, SignatureSchemes.Hash(scheme), SignatureSchemes.IsPkcs1(scheme) ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);

        // By the key's bytes: .NET opens no public key of type id-RSASSA-PSS.
        public override bool BelongsTo(X509Certificate2 certificate) =>
            certificate.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(key.ExportRSAPublicKey());

        public override X509Certificate2? JoinWith(X509Certificate2 certificate) =>
            certificate.PublicKey.Oid.Value == RsaEncryption ? certificate.CopyWithPrivateKey(key) : null;
    }

    /// <summary>Ed25519 (RFC 8032) from libsodium: .NET has none.</summary>
    public sealed class Ed25519Key(Key key) : SigningKey
    {
        public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) => SignatureAlgorithm.Ed25519.Sign(key, content);

        public override bool BelongsTo(X509Certificate2 certificate) =>
            certificate.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));

        public override X509Certificate2? JoinWith(X509Certificate2 certificate) => null;
    }
}
