namespace KTls.BoGo;

/// <summary>The flags of one credential.</summary>
internal sealed class CredentialFlags
{
    public string CertificateFile { get; set; } = string.Empty;

    public string KeyFile { get; set; } = string.Empty;

    public byte[] OcspResponse { get; set; } = [];

    public bool MustMatchIssuer { get; set; }
}
