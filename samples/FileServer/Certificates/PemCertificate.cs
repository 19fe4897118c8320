using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FileServer.Certificates;

/// <summary>A certificate chain in PEM, with its private key in the same file or in one of its own.</summary>
internal static class PemCertificate
{
    /// <summary>Loads the chain and joins the key with the certificate that it belongs to, wherever in the file that stands.</summary>
    /// <exception cref="UserErrorException">A file cannot be used.</exception>
    public static (X509Certificate2 Leaf, X509Certificate2Collection Others) Load(string file, byte[] content, string? keyFile, string? password)
    {
        X509Certificate2Collection certificates = ReadCertificates(file, content);
        using AsymmetricAlgorithm key = keyFile is null
            ? PrivateKeyFile.TryRead(file, content, password)
                ?? throw new UserErrorException($"{file}: holds a certificate but no private key; name the key's file with --key")
            : PrivateKeyFile.TryRead(keyFile, CertificateFile.Read(keyFile), password)
                ?? throw new UserErrorException($"{keyFile}: holds no private key");
        foreach (X509Certificate2 certificate in certificates)
        {
            if (TryJoin(certificate, key) is { } leaf)
            {
                certificates.Remove(certificate);
                return (leaf, certificates);
            }
        }

        throw new UserErrorException($"{keyFile ?? file}: the private key does not belong to the certificate in {file}");
    }

    private static X509Certificate2Collection ReadCertificates(string file, byte[] content)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.Latin1.GetString(content));
        }
        catch (CryptographicException e)
        {
            throw new UserErrorException($"{file}: a certificate in it is damaged: {e.Message}");
        }

        return certificates.Count != 0 ? certificates : throw new UserErrorException($"{file}: holds no certificate");
    }

    private static X509Certificate2? TryJoin(X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        try
        {
            return key switch
            {
                ECDsa ecdsa => certificate.CopyWithPrivateKey(ecdsa),
                RSA rsa => certificate.CopyWithPrivateKey(rsa),
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            // Another certificate's key, or a certificate for another kind of key.
            return null;
        }
    }
}
