using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>Certificates and private keys as they were found, from which a credential is put together.</summary>
internal sealed class CredentialMaterial
{
    public List<X509Certificate2> Certificates { get; } = [];

    public List<SigningKey> PrivateKeys { get; } = [];

    /// <exception cref="CredentialException">The certificate is damaged.</exception>
    public void AddCertificate(ReadOnlySpan<byte> der)
    {
        try
        {
            Certificates.Add(X509CertificateLoader.LoadCertificate(der));
        }
        catch (CryptographicException e)
        {
            throw new CredentialException("a certificate in it is damaged", e);
        }
    }

    /// <summary>Finds the certificate that a private key belongs to, and its chain.</summary>
    /// <param name="certificateSource">Where the certificates come from, for messages.</param>
    /// <param name="keySource">Where the keys come from.</param>
    /// <exception cref="CredentialException">Something is missing or does not go together.</exception>
    public CertificateCredential ToCredential(string certificateSource, string keySource)
    {
        if (Certificates.Count == 0)
        {
            throw new CredentialException($"{certificateSource}: holds no certificate");
        }

        if (PrivateKeys.Count == 0)
        {
            throw new CredentialException($"{keySource}: holds no private key");
        }

        var pairs = Certificates.SelectMany(_ => PrivateKeys, (certificate, key) => (Certificate: certificate, Key: key))
            .Where(pair => pair.Key.BelongsTo(pair.Certificate))
            .ToArray();
        if (pairs.Length == 0)
        {
            throw new CredentialException($"{keySource}: the private key does not belong to the certificate{(certificateSource == keySource ? string.Empty : $" in {certificateSource}")}");
        }

        (X509Certificate2 leaf, SigningKey privateKey) = Array.Find(pairs, pair => !IsIssuer(pair.Certificate));
        if (leaf is null)
        {
            throw new CredentialException($"{keySource}: the private key belongs to the certificate of the issuer, {pairs[0].Certificate.Subject}, not to the one that it issued");
        }

        if (!CertificateKey.TryRead(leaf, out CertificateKey? key, out string? reason))
        {
            throw new CredentialException($"{certificateSource}: {reason}");
        }

        try
        {
            return new CertificateCredential(CertificateChain.Order(leaf, Certificates), key, privateKey);
        }
        catch (CredentialException e)
        {
            throw e.In(certificateSource);
        }
    }

    private bool IsIssuer(X509Certificate2 certificate) => Certificates.Any(other =>
        other.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData)
        && !other.SubjectName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData));
}
