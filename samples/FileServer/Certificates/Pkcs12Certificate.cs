using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileServer.Certificates;

/// <summary>A certificate with its key and its chain in one PKCS#12 (.pfx, .p12) file.</summary>
internal static class Pkcs12Certificate
{
    // Of all that can go wrong, .NET gives only the password a code of its own (ERROR_INVALID_PASSWORD as an HRESULT).
    private const int InvalidPassword = unchecked((int)0x80070056);

    /// <summary>
    /// Loads the file by <see cref="X509CertificateLoader"/>: it checks the MAC, bounds the work that a file may ask for, and
    /// gives every certificate its own key. Pkcs12Info, which shows a file part by part, would leave all of this to us.
    /// </summary>
    /// <exception cref="UserErrorException">The file cannot be used.</exception>
    public static (X509Certificate2 Leaf, X509Certificate2Collection Others) Load(string file, byte[] content, string? keyFile, string? password)
    {
        switch (TypeOf(content))
        {
            case X509ContentType.Pkcs12 when keyFile is not null:
                throw new UserErrorException($"{file}: a PKCS#12 file holds its key; leave --key out");
            case X509ContentType.Pkcs12:
                break;
            case X509ContentType.Cert:
                throw new UserErrorException($"{file}: holds a certificate in DER; 'openssl x509 -inform der -in {file}' makes it PEM");
            default:
                throw new UserErrorException($"{file}: neither PEM nor PKCS#12");
        }

        X509Certificate2Collection certificates = Load(file, content, password);
        if (certificates.FirstOrDefault(certificate => certificate.HasPrivateKey) is not { } leaf)
        {
            throw new UserErrorException($"{file}: holds no certificate with its private key");
        }

        certificates.Remove(leaf);
        return (leaf, certificates);
    }

    private static X509ContentType TypeOf(byte[] content)
    {
        try
        {
            return X509Certificate2.GetCertContentType(content);
        }
        catch (CryptographicException)
        {
            return X509ContentType.Unknown;
        }
    }

    private static X509Certificate2Collection Load(string file, byte[] content, string? password)
    {
        try
        {
            return X509CertificateLoader.LoadPkcs12Collection(content, password);
        }
        catch (CryptographicException e) when (e.HResult == InvalidPassword)
        {
            throw new UserErrorException(password is null
                ? $"{file}: needs a password; give it with --password or {CommandLine.PasswordVariable}"
                : $"{file}: the password does not open it");
        }
        catch (CryptographicException e)
        {
            throw new UserErrorException($"{file}: the PKCS#12 file cannot be used: {e.Message}");
        }
    }
}
