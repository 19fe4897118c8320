namespace KTls.Handshake;

/// <summary>The certificates of a client, of which a server that asks for one gets the first that it takes.</summary>
public sealed class ClientCredentials
{
    private readonly CertificateCredential[] _all;

    /// <summary>Makes the set.</summary>
    /// <param name="credentials">In the order of preference.</param>
    public ClientCredentials(params IEnumerable<CertificateCredential> credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        _all = [.. credentials];
    }

    /// <summary>The credentials, in the order of preference.</summary>
    public IReadOnlyList<CertificateCredential> All => _all;

    /// <summary>Chooses for a server's CertificateRequest, as SslStream chooses among ClientCertificates.</summary>
    /// <param name="acceptableIssuers">Distinguished names, DER each; empty: any issuer will do (RFC 8446 §4.2.4).</param>
    /// <param name="fits">Whether the server can verify a credential.</param>
    /// <returns>
    /// The first that fits and whose chain, as it is sent, leads to one of the issuers; null for none: the client sends an
    /// empty certificate.
    /// </returns>
    public CertificateCredential? Select(IReadOnlyCollection<byte[]> acceptableIssuers, Func<CertificateCredential, bool> fits)
    {
        ArgumentNullException.ThrowIfNull(acceptableIssuers);
        ArgumentNullException.ThrowIfNull(fits);
        return Array.Find(_all, credential => (acceptableIssuers.Count == 0 || LeadsToOneOf(acceptableIssuers, credential)) && fits(credential));
    }

    private static bool LeadsToOneOf(IReadOnlyCollection<byte[]> issuers, CertificateCredential credential) =>
        credential.Certificates.Any(certificate => issuers.Any(issuer => issuer.AsSpan().SequenceEqual(certificate.IssuerName.RawData)));
}
