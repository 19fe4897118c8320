using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>The certificates to send, found among those that came together.</summary>
internal static class CertificateChain
{
    /// <summary>
    /// From the leaf upwards, each the issuer of the one before, without a root: a peer has it, or does not trust it
    /// (RFC 8446 §4.4.2). What does not belong to the chain is left out.
    /// </summary>
    /// <exception cref="CredentialException">A certificate is damaged.</exception>
    public static X509Certificate2[] Order(X509Certificate2 leaf, IReadOnlyCollection<X509Certificate2> others)
    {
        var chain = new List<X509Certificate2> { leaf };
        try
        {
            while (!IsSelfIssued(chain[^1]) && IssuerOf(chain[^1], others, chain) is { } issuer)
            {
                chain.Add(issuer);
            }
        }
        catch (CryptographicException e)
        {
            // .NET decodes dates and extensions when they are asked for.
            throw new CredentialException("a certificate of the chain is damaged", e);
        }

        return [.. chain];
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    // Certificate authorities renew their certificates: of several with the name, the key identifier tells the right one,
    // and of those with the same key the one that is valid longest is of most use.
    private static X509Certificate2? IssuerOf(X509Certificate2 certificate, IEnumerable<X509Certificate2> candidates, List<X509Certificate2> chain) => candidates
        .Where(candidate => !IsSelfIssued(candidate) && candidate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData))
        .Where(candidate => !chain.Any(member => member.RawDataMemory.Span.SequenceEqual(candidate.RawDataMemory.Span)))
        .OrderByDescending(candidate => KeyMatch(certificate, candidate))
        .ThenByDescending(candidate => candidate.NotAfter)
        .FirstOrDefault();

    private static int KeyMatch(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        ReadOnlyMemory<byte>? wanted = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        ReadOnlyMemory<byte>? there = issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes;
        return wanted is { } w && there is { } t ? (w.Span.SequenceEqual(t.Span) ? 1 : -1) : 0;
    }
}
