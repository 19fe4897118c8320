using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Text;

namespace FileServer.Certificates;

/// <summary>A private key in PEM: PKCS#8, plain or encrypted, or the older forms that are for RSA or EC only.</summary>
internal static class PrivateKeyFile
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    /// <summary>Reads the first private key.</summary>
    /// <returns>The key, or null when there is none.</returns>
    /// <exception cref="UserErrorException">There is one that cannot be used.</exception>
    public static AsymmetricAlgorithm? TryRead(string file, byte[] content, string? password)
    {
        ReadOnlySpan<char> rest = Encoding.Latin1.GetString(content);
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            string label = rest[fields.Label].ToString();
            if (label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            {
                byte[] encoded = Convert.FromBase64String(rest[fields.Base64Data].ToString());
                try
                {
                    return Import(file, label, encoded, password);
                }
                catch (CryptographicException e)
                {
                    throw new UserErrorException($"{file}: the private key is damaged: {e.Message}");
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(encoded);
                }
            }

            rest = rest[fields.Location.End..];
        }

        // OpenSSL's encryption of old puts headers into the block, which no PEM reader of today takes (RFC 7468 §2).
        return rest.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
            ? throw new UserErrorException($"{file}: the private key has an outdated encryption; 'openssl pkcs8 -topk8 -in {file}' gives it a new one")
            : null;
    }

    private static AsymmetricAlgorithm Import(string file, string label, byte[] encoded, string? password) => label switch
    {
        "PRIVATE KEY" => Import(file, Pkcs8PrivateKeyInfo.Decode(encoded, out _, skipCopy: true)),
        "ENCRYPTED PRIVATE KEY" => Import(file, Decrypt(file, encoded, password)),
        "EC PRIVATE KEY" => Import(ECDsa.Create(), key => key.ImportECPrivateKey(encoded, out _)),
        "RSA PRIVATE KEY" => Import(RSA.Create(), key => key.ImportRSAPrivateKey(encoded, out _)),
        _ => throw new UserErrorException($"{file}: a key in the form '{label}' is not supported; PKCS#8 is"),
    };

    // Decoding PKCS#8 here rather than in RSA or ECDsa tells the algorithm before the key is imported,
    // and a wrong password from a damaged key.
    private static AsymmetricAlgorithm Import(string file, Pkcs8PrivateKeyInfo info)
    {
        byte[] encoded = info.Encode();
        try
        {
            return info.AlgorithmId.Value switch
            {
                EcPublicKey => Import(ECDsa.Create(), key => key.ImportPkcs8PrivateKey(encoded, out _)),
                RsaEncryption => Import(RSA.Create(), key => key.ImportPkcs8PrivateKey(encoded, out _)),
                _ => throw new UserErrorException($"{file}: a key of type {info.AlgorithmId.FriendlyName ?? info.AlgorithmId.Value} is not supported; EC (P-256, P-384, P-521) and RSA are"),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(encoded);
        }
    }

    private static T Import<T>(T key, Action<T> import)
        where T : AsymmetricAlgorithm
    {
        try
        {
            import(key);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static Pkcs8PrivateKeyInfo Decrypt(string file, byte[] encoded, string? password)
    {
        if (password is null)
        {
            throw new UserErrorException($"{file}: the private key is encrypted; give its password with --password or {CommandLine.PasswordVariable}");
        }

        try
        {
            return Pkcs8PrivateKeyInfo.DecryptAndDecode(password, encoded, out _);
        }
        catch (CryptographicException)
        {
            throw new UserErrorException($"{file}: the password does not open the private key");
        }
    }
}
