using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;

namespace KTls.Handshake;

/// <summary>Certificates in a PKCS#7 container (RFC 5652 §5), signed by nobody: .p7b files.</summary>
internal static class Pkcs7
{
    /// <exception cref="CredentialException">The container is damaged.</exception>
    public static void Read(byte[] content, CredentialMaterial material)
    {
        try
        {
            var container = new SignedCms();
            container.Decode(content);
            material.Certificates.AddRange(container.Certificates);
        }
        catch (CryptographicException e)
        {
            throw new CredentialException("the PKCS#7 container is damaged", e);
        }
    }
}
