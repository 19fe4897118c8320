using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

public sealed partial class CertificateCredential
{
    /// <summary>Makes a credential from PEM texts (RFC 7468).</summary>
    /// <param name="certificates">The certificate and those of its chain, in any order; as PKCS#7, too.</param>
    /// <param name="privateKey">The private key in PKCS#8 or an older form; may be the same text.</param>
    /// <param name="password">What opens the private key; null: it is not encrypted.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="CredentialException">Something is missing, damaged or not supported, or the key is not the certificate's.</exception>
    public static CertificateCredential FromPem(ReadOnlySpan<char> certificates, ReadOnlySpan<char> privateKey, string? password = null)
    {
        var material = new CredentialMaterial();
        Pem.Read(certificates, material, CredentialParts.Certificates, password: null);
        Pem.Read(privateKey, material, CredentialParts.PrivateKeys, password);
        return material.ToCredential("the PEM text", "the PEM text");
    }

    /// <summary>Makes a credential from PKCS#12 (RFC 7292), which holds a certificate, its private key and mostly its chain.</summary>
    /// <param name="content">The content of a .pfx or .p12 file.</param>
    /// <param name="password">What opens it; null for none.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="CredentialException">Something is missing, damaged or not supported.</exception>
    public static CertificateCredential FromPkcs12(ReadOnlyMemory<byte> content, string? password = null)
    {
        var material = new CredentialMaterial();
        Pkcs12.Read(content, material, CredentialParts.All, password);
        return material.ToCredential("the PKCS#12 file", "the PKCS#12 file");
    }

    /// <summary>Makes a credential from certificates and the private key of one of them.</summary>
    /// <param name="certificates">The certificate and those of its chain, in any order.</param>
    /// <param name="privateKey">The private key in PKCS#8 (DER).</param>
    /// <param name="password">What opens the private key; null: it is not encrypted.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="CredentialException">Something is missing, damaged or not supported, or the key is not the certificate's.</exception>
    public static CertificateCredential FromPkcs8(IEnumerable<X509Certificate2> certificates, ReadOnlyMemory<byte> privateKey, string? password = null)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        var material = new CredentialMaterial();
        material.Certificates.AddRange(certificates);
        material.PrivateKeys.Add(PrivateKeyReader.Read(password is null ? "PRIVATE KEY" : "ENCRYPTED PRIVATE KEY", privateKey, password));
        return material.ToCredential("the certificates", "the private key");
    }

    /// <summary>Makes a credential from files, which are read once.</summary>
    /// <param name="files">The files.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="CredentialException">A file cannot be read or used; the message names it.</exception>
    public static CertificateCredential FromFiles(CertificateFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var material = new CredentialMaterial();
        CredentialParts parts = files.PrivateKey is null ? CredentialParts.All : CredentialParts.Certificates;
        CredentialFile.Read(files.Certificate, material, parts, files.Password);
        if (files.Chain is not null)
        {
            CredentialFile.Read(files.Chain, material, CredentialParts.Certificates, files.Password);
        }

        if (files.PrivateKey is not null)
        {
            CredentialFile.Read(files.PrivateKey, material, CredentialParts.PrivateKeys, files.Password);
        }

        CertificateCredential credential = material.ToCredential(files.Certificate, files.PrivateKey ?? files.Certificate);
        credential.ServerNames = files.ServerNames ?? credential.ServerNames;
        if (files.OcspResponse is not null)
        {
            CredentialFile.Use(files.OcspResponse, content => credential.OcspResponse = content);
        }

        return credential;
    }
}
