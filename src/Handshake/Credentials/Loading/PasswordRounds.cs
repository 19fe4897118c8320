using System.Formats.Asn1;
using System.Numerics;

namespace KTls.Handshake;

/// <summary>
/// How often a password is hashed to make a key, which the file says itself: two thousand million rounds, the most that fit,
/// take a quarter of an hour and cannot be cancelled.
/// </summary>
internal static class PasswordRounds
{
    // OWASP advises 600,000 of HMAC-SHA-256, which take a third of a second.
    private const int Max = 5_000_000;

    private const string Data = "1.2.840.113549.1.7.1";
    private const string EncryptedData = "1.2.840.113549.1.7.6";
    private const string Pbes2 = "1.2.840.113549.1.5.13";
    private const string Pbkdf2 = "1.2.840.113549.1.5.12";

    private static readonly Asn1Tag Content = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>Looks at an EncryptedPrivateKeyInfo (RFC 5958 §3).</summary>
    /// <exception cref="CredentialException">There are too many rounds.</exception>
    /// <exception cref="AsnContentException">It is malformed.</exception>
    public static void CheckPkcs8(ReadOnlyMemory<byte> encrypted) =>
        CheckAlgorithm(new AsnReader(encrypted, AsnEncodingRules.BER).ReadSequence().ReadSequence());

    /// <summary>Looks at the MAC and the encrypted parts of a PFX (RFC 7292 §4), but not into these.</summary>
    /// <exception cref="CredentialException">There are too many rounds.</exception>
    /// <exception cref="AsnContentException">It is malformed.</exception>
    public static void CheckPkcs12(ReadOnlyMemory<byte> file)
    {
        AsnReader pfx = new AsnReader(file, AsnEncodingRules.BER).ReadSequence();
        pfx.ReadInteger();
        AsnReader authSafe = pfx.ReadSequence();
        if (authSafe.ReadObjectIdentifier() == Data)
        {
            AsnReader safes = new AsnReader(authSafe.ReadSequence(Content).ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
            while (safes.HasData)
            {
                CheckSafe(safes.ReadSequence());
            }
        }

        if (pfx.HasData)
        {
            AsnReader mac = pfx.ReadSequence();
            mac.ReadSequence();
            mac.ReadOctetString();
            CheckRounds(mac.HasData ? mac.ReadInteger() : 1);
        }
    }

    // RFC 5652 §8
    private static void CheckSafe(AsnReader safe)
    {
        if (safe.ReadObjectIdentifier() == EncryptedData)
        {
            AsnReader encrypted = safe.ReadSequence(Content).ReadSequence();
            encrypted.ReadInteger();
            AsnReader info = encrypted.ReadSequence();
            info.ReadObjectIdentifier();
            CheckAlgorithm(info.ReadSequence());
        }
    }

    // PBES2 names its key derivation (RFC 8018 §A.4); the older schemes are salt and rounds (§A.3, RFC 7292 §C).
    private static void CheckAlgorithm(AsnReader algorithm)
    {
        if (algorithm.ReadObjectIdentifier() == Pbes2)
        {
            algorithm = algorithm.ReadSequence().ReadSequence();
            if (algorithm.ReadObjectIdentifier() != Pbkdf2)
            {
                return;
            }
        }

        AsnReader parameters = algorithm.ReadSequence();
        parameters.ReadOctetString();
        CheckRounds(parameters.ReadInteger());
    }

    private static void CheckRounds(BigInteger rounds)
    {
        if (rounds > Max)
        {
            throw new CredentialException($"the password would have to be hashed more than {Max} times");
        }
    }
}
