using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using NSec.Cryptography;

namespace KTls.Handshake;

/// <summary>Private keys: PKCS#8 (RFC 5958), plain or encrypted, and the older forms that are for RSA or EC only.</summary>
internal static class PrivateKeyReader
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string RsassaPss = "1.2.840.113549.1.1.10";
    private const string Ed25519 = "1.3.101.112";
    private const string Pbes2 = "1.2.840.113549.1.5.13";
    private const string Scrypt = "1.3.6.1.4.1.11591.4.11";

    /// <summary>Reads a key in DER.</summary>
    /// <param name="label">The form, by its label in PEM.</param>
    /// <param name="encoded">The key.</param>
    /// <param name="password">What opens an encrypted key.</param>
    /// <exception cref="CredentialException">The key is damaged or not supported, or the password is wrong.</exception>
    public static SigningKey Read(string label, ReadOnlyMemory<byte> encoded, string? password)
    {
        try
        {
            return label switch
            {
                "PRIVATE KEY" => ReadPkcs8(encoded),
                "ENCRYPTED PRIVATE KEY" => Decrypt(encoded, password),
                "EC PRIVATE KEY" => Ecdsa(key => key.ImportECPrivateKey(encoded.Span, out _)),
                "RSA PRIVATE KEY" => Rsa(key => key.ImportRSAPrivateKey(encoded.Span, out _)),
                _ => throw new CredentialException($"a private key in the form '{label}' is not supported; PKCS#8 is"),
            };
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new CredentialException("the private key is damaged", e);
        }
        catch (PlatformNotSupportedException e)
        {
            throw new CredentialException("the curve of the private key is not supported; P-256, P-384 and P-521 are", e);
        }
    }

    private static SigningKey ReadPkcs8(ReadOnlyMemory<byte> encoded)
    {
        var info = Pkcs8PrivateKeyInfo.Decode(encoded, out _, skipCopy: true);
        return info.AlgorithmId.Value switch
        {
            EcPublicKey => Ecdsa(key => key.ImportPkcs8PrivateKey(encoded.Span, out _)),

            // .NET imports no key of type id-RSASSA-PSS, but the same key inside (RFC 4055 §1.2).
            RsaEncryption or RsassaPss => Rsa(key => key.ImportRSAPrivateKey(info.PrivateKeyBytes.Span, out _)),
            Ed25519 => ReadEd25519(info.PrivateKeyBytes),
            _ => throw new CredentialException($"a private key of type {info.AlgorithmId.FriendlyName ?? info.AlgorithmId.Value} is not supported; ECDSA, RSA and Ed25519 are"),
        };
    }

    // RFC 8410 §7: the key is an octet string of its own.
    private static SigningKey.Ed25519Key ReadEd25519(ReadOnlyMemory<byte> privateKey)
    {
        ReadOnlySpan<byte> seed = AsnDecoder.TryReadPrimitiveOctetString(privateKey.Span, AsnEncodingRules.DER, out ReadOnlySpan<byte> value, out _) ? value : default;
        return Key.TryImport(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, out Key? key) && key is not null
            ? new SigningKey.Ed25519Key(key)
            : throw new CredentialException("the private key is damaged");
    }

    private static SigningKey Decrypt(ReadOnlyMemory<byte> encoded, string? password)
    {
        if (password is null)
        {
            throw new CredentialException("the private key is encrypted and needs a password") { NeedsPassword = true };
        }

        PasswordRounds.CheckPkcs8(encoded);
        Pkcs8PrivateKeyInfo info;
        try
        {
            info = Pkcs8PrivateKeyInfo.DecryptAndDecode(password, encoded, out _);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // .NET has the other exception for a ciphertext that is no multiple of the cipher's block.
            throw new CredentialException(
                UsesScrypt(encoded)
                    ? "the private key is encrypted by means of scrypt, which is not supported; 'openssl pkcs8 -topk8' encrypts it in another way"
                    : "the password does not open the private key",
                e);
        }

        byte[] plain = info.Encode();
        try
        {
            return ReadPkcs8(plain);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(info.PrivateKeyBytes).Span);
        }
    }

    // EncryptedPrivateKeyInfo with PBES2 (RFC 8018 §A.4), whose key derivation is scrypt (RFC 7914 §7).
    private static bool UsesScrypt(ReadOnlyMemory<byte> encoded)
    {
        AsnReader algorithm = new AsnReader(encoded, AsnEncodingRules.BER).ReadSequence().ReadSequence();
        return algorithm.ReadObjectIdentifier() == Pbes2 && algorithm.ReadSequence().ReadSequence().ReadObjectIdentifier() == Scrypt;
    }

    private static SigningKey.EcdsaKey Ecdsa(Action<ECDsa> import)
    {
        var key = ECDsa.Create();
        Import(key, import);
        return new SigningKey.EcdsaKey(key);
    }

    private static SigningKey.RsaKey Rsa(Action<RSA> import)
    {
        var key = RSA.Create();
        Import(key, import);
        return new SigningKey.RsaKey(key);
    }

    private static void Import<TKey>(TKey key, Action<TKey> import)
        where TKey : AsymmetricAlgorithm
    {
        try
        {
            import(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
