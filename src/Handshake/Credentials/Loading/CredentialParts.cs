namespace KTls.Handshake;

/// <summary>What is wanted from a file.</summary>
[Flags]
internal enum CredentialParts
{
    Certificates = 1,
    PrivateKeys = 2,
    All = Certificates | PrivateKeys,
}
