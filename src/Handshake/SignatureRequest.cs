namespace KTls.Handshake;

/// <summary>A signature that a handshake waits for, because the credential's key signs elsewhere.</summary>
/// <param name="Credential">Whose key has to sign.</param>
/// <param name="Scheme">The algorithm and its hash.</param>
/// <param name="Content">The bytes to hash and sign; not secret.</param>
public sealed record SignatureRequest(CertificateCredential Credential, SignatureScheme Scheme, ReadOnlyMemory<byte> Content);
