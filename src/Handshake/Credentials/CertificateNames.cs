using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>The host names of a certificate.</summary>
internal static class CertificateNames
{
    /// <summary>The dNSName entries of subjectAltName; the common name is no host name (RFC 9525 §2).</summary>
    public static string[] Read(X509Certificate2 certificate)
    {
        try
        {
            return [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];
        }
        catch (CryptographicException)
        {
            // Nobody can read these names, so nobody can ask for one.
            return [];
        }
    }

    /// <summary>As names are compared: without a final dot, by <see cref="StringComparer.OrdinalIgnoreCase"/> (RFC 6066 §3).</summary>
    public static ReadOnlySpan<char> Normalize(ReadOnlySpan<char> name) => name.EndsWith('.') ? name[..^1] : name;
}
