using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>An OCSP response (RFC 6960 §4.2.1) to staple. Its signature is for the client to check.</summary>
internal sealed class OcspResponse
{
    private const string Basic = "1.3.6.1.5.5.7.48.1.1";

    // In TLS 1.3 an extension holds it, with a byte for the type and three for the length (RFC 8446 §4.4.2.1).
    private const int MaxLength = ushort.MaxValue - 4;

    private readonly byte[] _encoded;
    private readonly DateTimeOffset _nextUpdate;

    /// <summary>Takes anything for a response: for the peer of a test that has one of its own making.</summary>
    public OcspResponse(byte[] anything)
    {
        _encoded = anything;
        _nextUpdate = DateTimeOffset.MaxValue;
    }

    /// <exception cref="CredentialException">It is no successful response about the certificate.</exception>
    public OcspResponse(byte[] encoded, X509Certificate2 certificate)
    {
        if (encoded.Length > MaxLength)
        {
            throw new CredentialException($"an OCSP response of {encoded.Length} bytes is too long; {MaxLength} are the most");
        }

        _encoded = encoded;
        try
        {
            _nextUpdate = Read(new AsnReader(encoded, AsnEncodingRules.DER), certificate);
        }
        catch (AsnContentException e)
        {
            throw new CredentialException("the OCSP response is malformed", e);
        }
    }

    /// <summary>The response, or nothing when its time is over.</summary>
    public ReadOnlyMemory<byte> At(DateTimeOffset now) => now < _nextUpdate ? _encoded : default;

    private static DateTimeOffset Read(AsnReader file, X509Certificate2 certificate)
    {
        AsnReader response = file.ReadSequence();
        file.ThrowIfNotEmpty();
        byte status = response.ReadEnumeratedBytes().Span[^1];
        if (status != 0)
        {
            throw new CredentialException($"the OCSP response is not a successful one (status {status})");
        }

        AsnReader bytes = response.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
        if (bytes.ReadObjectIdentifier() != Basic)
        {
            throw new CredentialException("the OCSP response is not of the basic type");
        }

        return ReadBasic(new AsnReader(bytes.ReadOctetString(), AsnEncodingRules.DER), certificate);
    }

    private static DateTimeOffset ReadBasic(AsnReader basic, X509Certificate2 certificate)
    {
        // version and responderID are tagged, producedAt is a time: the first sequence without a tag is the responses.
        AsnReader data = basic.ReadSequence().ReadSequence();
        while (data.PeekTag() != Asn1Tag.Sequence)
        {
            data.ReadEncodedValue();
        }

        var serialNumber = new BigInteger(certificate.SerialNumberBytes.Span, isBigEndian: true);
        AsnReader responses = data.ReadSequence();
        while (responses.HasData)
        {
            AsnReader single = responses.ReadSequence();
            AsnReader id = single.ReadSequence();
            id.ReadSequence();
            id.ReadOctetString();
            id.ReadOctetString();
            if (id.ReadInteger() == serialNumber)
            {
                return ReadNextUpdate(single);
            }
        }

        throw new CredentialException("the OCSP response is about another certificate");
    }

    // Without nextUpdate newer information is available all the time (RFC 6960 §4.2.2.1), and this stays good.
    private static DateTimeOffset ReadNextUpdate(AsnReader single)
    {
        var explicit0 = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        single.ReadEncodedValue();
        single.ReadGeneralizedTime();
        return single.HasData && single.PeekTag() == explicit0 ? single.ReadSequence(explicit0).ReadGeneralizedTime() : DateTimeOffset.MaxValue;
    }
}
