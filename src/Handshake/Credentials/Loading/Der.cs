using System.Formats.Asn1;

namespace KTls.Handshake;

/// <summary>Binary files: which of the formats it is shows at the start.</summary>
internal static class Der
{
    /// <exception cref="CredentialException">The file is damaged or of no such format.</exception>
    public static void Read(byte[] content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        switch (Tags(content))
        {
            case (UniversalTagNumber.ObjectIdentifier, _):
                Pkcs7.Read(content, material);
                break;

            case (UniversalTagNumber.Integer, UniversalTagNumber.Sequence) when !IsPkcs8(content):
                Pkcs12.Read(content, material, parts, password);
                break;

            case (UniversalTagNumber.Integer, UniversalTagNumber.Sequence):
                AddPrivateKey("PRIVATE KEY");
                break;

            case (UniversalTagNumber.Sequence, UniversalTagNumber.OctetString):
                AddPrivateKey("ENCRYPTED PRIVATE KEY");
                break;

            case (UniversalTagNumber.Integer, UniversalTagNumber.OctetString):
                AddPrivateKey("EC PRIVATE KEY");
                break;

            case (UniversalTagNumber.Integer, UniversalTagNumber.Integer):
                AddPrivateKey("RSA PRIVATE KEY");
                break;

            case (UniversalTagNumber.Sequence, UniversalTagNumber.Sequence):
                material.AddCertificate(content);
                break;

            default:
                throw new CredentialException("neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12");
        }

        void AddPrivateKey(string label)
        {
            if (parts.HasFlag(CredentialParts.PrivateKeys))
            {
                material.PrivateKeys.Add(PrivateKeyReader.Read(label, content, password));
            }
        }
    }

    // All are sequences, which differ in their first two fields.
    private static (UniversalTagNumber First, UniversalTagNumber Second) Tags(byte[] content)
    {
        try
        {
            // PKCS#7 and PKCS#12 may be in BER.
            AsnReader fields = new AsnReader(content, AsnEncodingRules.BER).ReadSequence();
            UniversalTagNumber first = Universal(fields.PeekTag());
            fields.ReadEncodedValue();
            return (first, fields.HasData ? Universal(fields.PeekTag()) : default);
        }
        catch (AsnContentException)
        {
            return default;
        }
    }

    private static UniversalTagNumber Universal(Asn1Tag tag) => tag.TagClass == TagClass.Universal ? (UniversalTagNumber)tag.TagValue : default;

    // PKCS#8 has version 0 or 1 (RFC 5958 §2), PKCS#12 version 3 (RFC 7292 §4).
    private static bool IsPkcs8(byte[] content) =>
        new AsnReader(content, AsnEncodingRules.BER).ReadSequence().TryReadInt32(out int version) && version is 0 or 1;
}
