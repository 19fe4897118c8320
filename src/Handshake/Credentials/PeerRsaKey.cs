using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>The sizes of RSA keys that are taken of a peer. Neither .NET nor a chain of certificates has bounds of its own.</summary>
internal static class PeerRsaKey
{
    // 512 bits are broken in hours, and no RFC of TLS forbids them. Certificate authorities give 2048 at least; devices with certificates of their own have 1024,
    // and whoever pins those decides himself.
    private const int MinBits = 1024;

    // A check takes time with the square of the size, and comes before any trust.
    private const int MaxBits = 8192;

    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string RsassaPss = "1.2.840.113549.1.1.10";

    /// <exception cref="TlsAlertException">The key of a peer's own certificate is too short or too long.</exception>
    public static void RequireSize(PublicKey key)
    {
        if (!HasGoodSize(key))
        {
            throw new TlsAlertException(AlertDescription.BadCertificate, $"The peer's certificate has an RSA key of {CertificateKey.RsaBits(key)} bits; {MinBits} to {MaxBits} are taken.");
        }
    }

    /// <summary>Whether a certificate may be looked at as a part of a chain.</summary>
    public static bool HasGoodSize(X509Certificate2 certificate)
    {
        try
        {
            return HasGoodSize(certificate.PublicKey);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    private static bool HasGoodSize(PublicKey key) =>
        key.Oid.Value is not (RsaEncryption or RsassaPss) || CertificateKey.RsaBits(key) is >= MinBits and <= MaxBits;
}
