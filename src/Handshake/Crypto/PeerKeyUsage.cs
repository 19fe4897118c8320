using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Crypto;

/// <summary>What a peer's certificate allows its key to do (RFC 5280 §4.2.1.3).</summary>
internal static class PeerKeyUsage
{
    /// <summary>
    /// A key that signs a handshake must be allowed to, where the certificate has the keyUsage extension
    /// (RFC 8446 §4.4.2.2, RFC 5246 §7.4.2).
    /// </summary>
    /// <exception cref="TlsAlertException">It is not allowed to. The RFCs name no alert: the peer breaks a "MUST" by what it
    /// sends, which is illegal_parameter, as BoringSSL has it; unsupported_certificate stands for a type that this end does not
    /// know.</exception>
    /// <exception cref="CryptographicException">The extension cannot be decoded.</exception>
    public static void RequireDigitalSignature(X509Certificate2 certificate)
    {
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509KeyUsageExtension usage && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, $"The peer signs with a key that its certificate allows only {usage.KeyUsages}.");
            }
        }
    }
}
