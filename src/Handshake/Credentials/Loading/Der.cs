using System.Formats.Asn1;

namespace KTls.Handshake;

/// <summary>Binary files: which of the formats it is shows at the start.</summary>
internal static class Der
{
    private enum Format
    {
        Unknown,
        Certificate,
        Pkcs7,
        Pkcs8,
        EncryptedPkcs8,
        EcPrivateKey,
        RsaPrivateKey,
        Pkcs12,
    }

    /// <exception cref="CredentialException">The file is damaged or of no such format.</exception>
    public static void Read(byte[] content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        switch (FormatOf(content))
        {
            case Format.Certificate:
                material.AddCertificate(content);
                break;
            case Format.Pkcs7:
                Pkcs7.Read(content, material);
                break;
            case Format.Pkcs8:
                AddPrivateKey("PRIVATE KEY");
                break;
            case Format.EncryptedPkcs8:
                AddPrivateKey("ENCRYPTED PRIVATE KEY");
                break;
            case Format.EcPrivateKey:
                AddPrivateKey("EC PRIVATE KEY");
                break;
            case Format.RsaPrivateKey:
                AddPrivateKey("RSA PRIVATE KEY");
                break;
            case Format.Pkcs12:
                Pkcs12.Read(content, material, parts, password);
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
    private static Format FormatOf(byte[] content)
    {
        try
        {
            // PKCS#7 and PKCS#12 may be in BER.
            AsnReader fields = new AsnReader(content, AsnEncodingRules.BER).ReadSequence();
            Asn1Tag first = fields.PeekTag();
            int version = -1;
            if (first == Asn1Tag.Integer)
            {
                fields.TryReadInt32(out version);
            }
            else
            {
                fields.ReadEncodedValue();
            }

            // PKCS#8 has version 0 or 1 (RFC 5958 §2), PKCS#12 version 3 (RFC 7292 §4).
            Asn1Tag second = fields.PeekTag();
            return (first.TagClass, (UniversalTagNumber)first.TagValue, (UniversalTagNumber)second.TagValue) switch
            {
                (TagClass.Universal, UniversalTagNumber.Sequence, UniversalTagNumber.Sequence) => Format.Certificate,
                (TagClass.Universal, UniversalTagNumber.Sequence, UniversalTagNumber.OctetString) => Format.EncryptedPkcs8,
                (TagClass.Universal, UniversalTagNumber.ObjectIdentifier, _) => Format.Pkcs7,
                (TagClass.Universal, UniversalTagNumber.Integer, UniversalTagNumber.Sequence) => version is 0 or 1 ? Format.Pkcs8 : Format.Pkcs12,
                (TagClass.Universal, UniversalTagNumber.Integer, UniversalTagNumber.OctetString) => Format.EcPrivateKey,
                (TagClass.Universal, UniversalTagNumber.Integer, UniversalTagNumber.Integer) => Format.RsaPrivateKey,
                _ => Format.Unknown,
            };
        }
        catch (AsnContentException)
        {
            return Format.Unknown;
        }
    }
}
