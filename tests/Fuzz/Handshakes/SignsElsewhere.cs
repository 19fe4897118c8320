using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>The test credentials as if their keys were elsewhere: the handshake asks its caller for each signature.</summary>
internal sealed class SignsElsewhere : ICertificateSigner
{
    private static readonly Dictionary<CertificateCredential, CertificateCredential> Here = TestKeys.All.ToDictionary(
        Create, credential => credential);

    public static CertificateCredential Of(CertificateCredential credential) => Here.First(pair => pair.Value == credential).Key;

    /// <summary>The signature that a handshake asks for.</summary>
    public static byte[] Sign(SignatureRequest request) => Here[request.Credential].Sign(request.Scheme, request.Content.Span);

    private static CertificateCredential Create(CertificateCredential credential)
    {
        var elsewhere = CertificateCredential.Create(credential.Certificates, new SignsElsewhere());
        elsewhere.OcspResponse = credential.OcspResponse;
        return elsewhere;
    }

    public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The caller signs.");
}
