using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

public sealed partial class CertificateCredential
{
    /// <summary>Makes a credential from what <see cref="SslStream"/> takes.</summary>
    /// <param name="context">The certificate, its private key and the intermediates to send.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="reason">When false is returned: why the key cannot sign here.</param>
    /// <returns>Whether the certificate's key can sign handshakes here.</returns>
    public static bool TryCreate(SslStreamCertificateContext context, [NotNullWhen(true)] out CertificateCredential? credential, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(context);
        X509Certificate2 certificate = context.TargetCertificate;
        if (!TryOpen(certificate, out CertificateKey? key, out SigningKey? privateKey, out reason))
        {
            credential = null;
            return false;
        }

        credential = new CertificateCredential([certificate, .. context.IntermediateCertificates], key, privateKey) { _context = context };
        return true;
    }

    /// <summary>Makes a credential from a certificate that has its private key with it.</summary>
    /// <param name="certificate">The certificate with its private key.</param>
    /// <param name="chain">The certificates that lead from it to a root, in any order; the root may be left out.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="CredentialException">The certificate comes without its key, or with one that cannot sign here.</exception>
    public static CertificateCredential FromCertificate(X509Certificate2 certificate, params IEnumerable<X509Certificate2> chain)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(chain);
        return TryOpen(certificate, out CertificateKey? key, out SigningKey? privateKey, out string? reason)
            ? new CertificateCredential(CertificateChain.Order(certificate, [.. chain]), key, privateKey)
            : throw new CredentialException(reason);
    }

    /// <summary>Makes a credential whose private key stays elsewhere.</summary>
    /// <param name="chain">The certificate, and those that lead from it to a root, in any order after it; the root may be left out.</param>
    /// <param name="signer">Signs with the certificate's key.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="ArgumentException"><paramref name="chain"/> has no certificate.</exception>
    /// <exception cref="CredentialException">The certificate's key is of a kind that cannot sign here.</exception>
    public static CertificateCredential Create(IEnumerable<X509Certificate2> chain, ICertificateSigner signer)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(signer);
        X509Certificate2[] all = [.. chain];
        if (all.Length == 0)
        {
            throw new ArgumentException("There is no certificate.", nameof(chain));
        }

        return CertificateKey.TryRead(all[0], out CertificateKey? key, out string? reason)
            ? new CertificateCredential(CertificateChain.Order(all[0], all), key, signer)
            : throw new CredentialException(reason);
    }

    private static bool TryOpen(
        X509Certificate2 certificate, [NotNullWhen(true)] out CertificateKey? key, [NotNullWhen(true)] out SigningKey? privateKey, [NotNullWhen(false)] out string? reason)
    {
        key = null;
        privateKey = null;
        if (!certificate.HasPrivateKey)
        {
            reason = "the certificate comes without its private key";
            return false;
        }

        if (!CertificateKey.TryRead(certificate, out key, out reason))
        {
            return false;
        }

        privateKey = SigningKey.Open(certificate);
        reason = privateKey is null ? "the certificate's private key cannot be opened" : null;
        return privateKey is not null;
    }
}
