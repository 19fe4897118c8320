using System.Formats.Asn1;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;

namespace KTls.Handshake;

/// <summary>
/// Certificates and private keys in PKCS#12 (RFC 7292). Read bag by bag, since X509Certificate2 cannot hold every kind of key
/// that we sign with.
/// </summary>
internal static class Pkcs12
{
    // Nobody nests bags more than once or twice.
    private const int MaxDepth = 8;

    // .NET goes into nested bags by recursion, and a file of 1 MiB can have 39,000 in each other: 30,000 are too many for 8 MiB.
    private const int StackSize = 64 * 1024 * 1024;

    /// <exception cref="CredentialException">The file is damaged or not supported, or the password is wrong.</exception>
    public static void Read(ReadOnlyMemory<byte> content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        ExceptionDispatchInfo? failure = null;
        var reader = new Thread(
            () =>
            {
                try
                {
                    ReadHere(content, material, parts, password);
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            StackSize);
        reader.Start();
        reader.Join();
        failure?.Throw();
    }

    private static void ReadHere(ReadOnlyMemory<byte> content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        try
        {
            var file = Pkcs12Info.Decode(content, out _);
            PasswordRounds.CheckPkcs12(content);
            string? opening = CheckIntegrity(file, password);
            foreach (Pkcs12SafeContents safe in file.AuthenticatedSafe)
            {
                Read(safe, material, parts, opening, depth: 0);
            }
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException or AsnContentException)
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

    private static void Read(Pkcs12SafeContents safe, CredentialMaterial material, CredentialParts parts, string? password, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new CredentialException($"the PKCS#12 file has more than {MaxDepth} bags in each other");
        }

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
                    Read(inner, material, parts, password, depth + 1);
                    break;
                default:
                    // Certificate revocation lists and secrets are of no use here.
                    break;
            }
        }
    }
}
