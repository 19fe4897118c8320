using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;

namespace KTls.Handshake;

/// <summary>
/// Certificates and private keys in PKCS#12 (RFC 7292). Read bag by bag, since X509Certificate2 cannot hold every kind of key
/// that we sign with.
/// </summary>
internal static class Pkcs12
{
    /// <exception cref="CredentialException">The file is damaged or not supported, or the password is wrong.</exception>
    public static void Read(ReadOnlyMemory<byte> content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        try
        {
            var file = Pkcs12Info.Decode(content, out _);
            string? opening = CheckIntegrity(file, password);
            foreach (Pkcs12SafeContents safe in file.AuthenticatedSafe)
            {
                Read(safe, material, parts, opening);
            }
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            throw new CredentialException($"the PKCS#12 file cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <returns>The password that opens the file: without a password it can be none, or an empty one.</returns>
    private static string? CheckIntegrity(Pkcs12Info file, string? password)
    {
        switch (file.IntegrityMode)
        {
            case Pkcs12IntegrityMode.None:
            case Pkcs12IntegrityMode.Password when file.VerifyMac(password):
                return password;
            case Pkcs12IntegrityMode.Password when string.IsNullOrEmpty(password):
                string? other = password is null ? string.Empty : null;
                return file.VerifyMac(other) ? other : throw new CredentialException("needs a password") { NeedsPassword = true };
            case Pkcs12IntegrityMode.Password:
                throw new CredentialException("the password does not open it");
            default:
                throw new CredentialException("a PKCS#12 file that is signed instead of having a password is not supported");
        }
    }

    private static void Read(Pkcs12SafeContents safe, CredentialMaterial material, CredentialParts parts, string? password)
    {
        switch (safe.ConfidentialityMode)
        {
            case Pkcs12ConfidentialityMode.Password:
                safe.Decrypt(password);
                break;
            case Pkcs12ConfidentialityMode.PublicKey:
                throw new CredentialException("a PKCS#12 file that is encrypted for a public key is not supported");
            default:
                break;
        }

        foreach (Pkcs12SafeBag bag in safe.GetBags())
        {
            switch (bag)
            {
                case Pkcs12CertBag { IsX509Certificate: true } certificate when parts.HasFlag(CredentialParts.Certificates):
                    material.Certificates.Add(certificate.GetCertificate());
                    break;
                case Pkcs12KeyBag key when parts.HasFlag(CredentialParts.PrivateKeys):
                    material.PrivateKeys.Add(PrivateKeyReader.Read("PRIVATE KEY", key.Pkcs8PrivateKey, password));
                    break;
                case Pkcs12ShroudedKeyBag key when parts.HasFlag(CredentialParts.PrivateKeys):
                    material.PrivateKeys.Add(PrivateKeyReader.Read("ENCRYPTED PRIVATE KEY", key.EncryptedPkcs8PrivateKey, password ?? string.Empty));
                    break;
                case Pkcs12SafeContentsBag { SafeContents: { } inner }:
                    Read(inner, material, parts, password);
                    break;
                default:
                    // Certificate revocation lists and secrets are of no use here.
                    break;
            }
        }
    }
}
