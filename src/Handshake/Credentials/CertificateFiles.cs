namespace KTls.Handshake;

/// <summary>
/// The files of one certificate. Which format a file has is seen from its content: PEM, with whatever it holds in any order;
/// certificates in DER; PKCS#7 (.p7b); PKCS#12 (.pfx, .p12); private keys in PKCS#8, plain or encrypted, or in their older forms.
/// </summary>
public sealed class CertificateFiles
{
    /// <summary>The file with the certificate, mostly together with its chain, and with its key where <see cref="PrivateKey"/> is null.</summary>
    public required string Certificate { get; init; }

    /// <summary>The file with the private key; null: it is in <see cref="Certificate"/>.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>A file with further certificates of the chain; null for none.</summary>
    public string? Chain { get; init; }

    /// <summary>What opens an encrypted key or a PKCS#12 file; null: nothing is encrypted.</summary>
    public string? Password { get; init; }

    /// <summary>A file with the OCSP response (DER) to staple; null for none.</summary>
    public string? OcspResponse { get; init; }

    /// <summary>The host names that the certificate is chosen for; null: those that stand in it.</summary>
    public IReadOnlyList<string>? ServerNames { get; init; }

    /// <summary>The files that there are.</summary>
    public IEnumerable<string> Paths => new[] { Certificate, PrivateKey, Chain, OcspResponse }.OfType<string>();
}
