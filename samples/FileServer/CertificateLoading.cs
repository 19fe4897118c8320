using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace FileServer;

/// <summary>The server's certificate with its key and its chain, from PEM or PKCS#12 files or of our own making.</summary>
internal static class CertificateLoading
{
    /// <exception cref="UsageException">A file is missing, malformed or does not fit.</exception>
    public static SslStreamCertificateContext Load(string path, string? keyPath, string? password)
    {
        try
        {
            byte[] content = ReadFile(path);
            string text = System.Text.Encoding.Latin1.GetString(content);
            return text.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal)
                ? FromPem(path, text, keyPath, password)
                : FromPkcs12(path, content, password);
        }
        catch (CryptographicException e)
        {
            throw new UsageException($"{path} is not a certificate that can be used: {e.Message}");
        }
    }

    /// <summary>A self-signed certificate for this machine's own names.</summary>
    public static SslStreamCertificateContext CreateSelfSigned()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        string host = Environment.MachineName;
        if (Uri.CheckHostName(host) == UriHostNameType.Dns && host != "localhost")
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return SslStreamCertificateContext.Create(certificate, additionalCertificates: [], offline: true);
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {e.Message}");
        }
    }

    private static SslStreamCertificateContext FromPem(string path, string certificates, string? keyPath, string? password)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        string key = keyPath is null ? certificates : System.Text.Encoding.Latin1.GetString(ReadFile(keyPath));
        string keyName = keyPath ?? path;
        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new UsageException($"{keyName} has no private key. --key FILE names the file that has it.");
        }

        bool isEncrypted = key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);
        if (isEncrypted && password is null)
        {
            throw new UsageException($"The private key in {keyName} is encrypted: give --password or KTLS_PASSWORD.");
        }

        try
        {
            X509Certificate2 leaf = isEncrypted
                ? X509Certificate2.CreateFromEncryptedPem(chain[0].ExportCertificatePem(), key, password)
                : X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), key);
            chain.RemoveAt(0);
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new UsageException($"The private key in {keyName} cannot be used with the certificate in {path}: {e.Message}");
        }
    }

    // Read part by part, because a PKCS#12 file may hold several certificates in any order and the one with the key counts.
    private static SslStreamCertificateContext FromPkcs12(string path, byte[] content, string? password)
    {
        Pkcs12Info info;
        try
        {
            info = Pkcs12Info.Decode(content, out _, skipCopy: true);
        }
        catch (CryptographicException)
        {
            throw new UsageException($"{path} is neither PEM nor PKCS#12.");
        }

        if (info.IntegrityMode == Pkcs12IntegrityMode.Password && !info.VerifyMac(password))
        {
            throw new UsageException($"The password for {path} is wrong, or none was given: --password or KTLS_PASSWORD.");
        }

        var certificates = new X509Certificate2Collection();
        Pkcs8PrivateKeyInfo? key = null;
        foreach (Pkcs12SafeContents contents in info.AuthenticatedSafe)
        {
            if (contents.ConfidentialityMode == Pkcs12ConfidentialityMode.Password)
            {
                contents.Decrypt(password);
            }

            foreach (Pkcs12SafeBag bag in contents.GetBags())
            {
                switch (bag)
                {
                    case Pkcs12CertBag { IsX509Certificate: true } certificate:
                        certificates.Add(certificate.GetCertificate());
                        break;
                    case Pkcs12ShroudedKeyBag shrouded:
                        key = Pkcs8PrivateKeyInfo.DecryptAndDecode(password, shrouded.EncryptedPkcs8PrivateKey, out _);
                        break;
                    case Pkcs12KeyBag plain:
                        key = Pkcs8PrivateKeyInfo.Decode(plain.Pkcs8PrivateKey, out _);
                        break;
                }
            }
        }

        return key is null
            ? throw new UsageException($"{path} has no private key.")
            : Join(path, certificates, key);
    }

    private static SslStreamCertificateContext Join(string path, X509Certificate2Collection certificates, Pkcs8PrivateKeyInfo keyInfo)
    {
        byte[] encoded = keyInfo.Encode();
        try
        {
            foreach (X509Certificate2 certificate in certificates)
            {
                if (TryJoin(certificate, encoded) is { } leaf)
                {
                    certificates.Remove(certificate);
                    return SslStreamCertificateContext.Create(leaf, certificates, offline: true);
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(encoded);
        }

        throw new UsageException($"{path} has no certificate for its private key.");
    }

    private static X509Certificate2? TryJoin(X509Certificate2 certificate, byte[] pkcs8)
    {
        try
        {
            if (certificate.GetECDsaPublicKey() is not null)
            {
                using ECDsa ecdsa = ECDsa.Create();
                ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
                return certificate.CopyWithPrivateKey(ecdsa);
            }

            using RSA rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(pkcs8, out _);
            return certificate.CopyWithPrivateKey(rsa);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The key is another certificate's.
            return null;
        }
    }
}
