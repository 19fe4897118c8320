using System.Formats.Asn1;

namespace KTls.Handshake;

/// <summary>The parameters of a key that is for RSASSA-PSS only (RFC 4055 §3.1): they may bind it to one hash.</summary>
internal static class RsassaPssParameters
{
    private const string Mgf1 = "1.2.840.113549.1.1.8";

    private static readonly (string Oid, int Length, SignatureScheme Scheme)[] Hashes =
    [
        ("2.16.840.1.101.3.4.2.1", 32, SignatureScheme.RsaPssPssSha256),
        ("2.16.840.1.101.3.4.2.2", 48, SignatureScheme.RsaPssPssSha384),
        ("2.16.840.1.101.3.4.2.3", 64, SignatureScheme.RsaPssPssSha512),
    ];

    /// <summary>The schemes that a key may sign with: all without parameters, else those with the very same (RFC 8446 §4.2.3).</summary>
    /// <exception cref="AsnContentException">The parameters are malformed.</exception>
    public static IEnumerable<SignatureScheme> SchemesFor(byte[]? parameters)
    {
        if (parameters is null or [])
        {
            return Hashes.Select(hash => hash.Scheme);
        }

        (string? hashOid, string? maskHashOid, int saltLength) = Read(parameters);
        return Hashes.Where(hash => hash.Oid == hashOid && hash.Oid == maskHashOid && hash.Length == saltLength).Select(hash => hash.Scheme);
    }

    // A field that is not there means SHA-1 or its length: nothing for TLS 1.3.
    private static (string? Hash, string? MaskHash, int SaltLength) Read(byte[] parameters)
    {
        AsnReader fields = new AsnReader(parameters, AsnEncodingRules.DER).ReadSequence();
        string? hash = null;
        string? maskHash = null;
        int saltLength = 20;
        while (fields.HasData)
        {
            Asn1Tag tag = fields.PeekTag();
            AsnReader field = tag.TagClass == TagClass.ContextSpecific ? fields.ReadSequence(tag) : throw new AsnContentException();
            switch (tag.TagValue)
            {
                case 0:
                    hash = field.ReadSequence().ReadObjectIdentifier();
                    break;
                case 1:
                    AsnReader mask = field.ReadSequence();
                    maskHash = mask.ReadObjectIdentifier() == Mgf1 ? mask.ReadSequence().ReadObjectIdentifier() : null;
                    break;
                case 2:
                    saltLength = field.TryReadInt32(out int length) ? length : -1;
                    break;
                default:
                    break;
            }
        }

        return (hash, maskHash, saltLength);
    }
}
