using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Authentication;

/// <summary>
/// The verdict that a server's certificate is trusted, kept with the sessions that begin under it: for a while, a client that resumes
/// one need not build the same chain by the same policy again. What may change meanwhile is looked at each time.
/// </summary>
internal sealed class KeptVerdict
{
    private readonly string _host;
    private readonly ReadOnlyMemory<byte> _certificate;
    private readonly X509ChainPolicy? _policy;
    private readonly DateTimeOffset _reachedAt;
    private readonly DateTimeOffset _until;

    // The clock can be set, this one cannot.
    private readonly long _timestamp;

    private KeptVerdict(in PeerVerdict.Criteria criteria, ReadOnlyMemory<byte> certificate, DateTimeOffset reachedAt, DateTimeOffset until)
    {
        _host = criteria.TargetHost!;
        _certificate = certificate;
        _policy = criteria.Policy;
        _reachedAt = reachedAt;
        _until = until;
        _timestamp = criteria.Clock.GetTimestamp();
    }

    /// <summary>Keeps a verdict that was reached just now without a callback; null: it is none to be kept.</summary>
    /// <param name="criteria">What decided; the policy is not to change any more.</param>
    /// <param name="certificate">The server's certificate, which is trusted.</param>
    /// <param name="chain">Its chain.</param>
    public static KeptVerdict? TryKeep(in PeerVerdict.Criteria criteria, X509Certificate2 certificate, X509Chain chain)
    {
        if (!MayBeKept(criteria))
        {
            return null;
        }

        DateTimeOffset now = criteria.Clock.GetUtcNow();
        DateTimeOffset until = now + criteria.VerdictLifetime;
        foreach (X509ChainElement element in chain.ChainElements)
        {
            DateTimeOffset end = element.Certificate.NotAfter;
            until = end < until ? end : until;
        }

        return new KeptVerdict(criteria, certificate.RawDataMemory, now, until);
    }

    /// <summary>Whether the same would be decided again.</summary>
    public bool Holds(in PeerVerdict.Criteria criteria, X509Certificate2 certificate)
    {
        DateTimeOffset now = criteria.Clock.GetUtcNow();
        return MayBeKept(criteria)
            && now >= _reachedAt
            && now < _until
            && now < _reachedAt + criteria.VerdictLifetime
            && criteria.Clock.GetElapsedTime(_timestamp) < criteria.VerdictLifetime
            && string.Equals(criteria.TargetHost, _host, StringComparison.Ordinal)
            && certificate.RawDataMemory.Span.SequenceEqual(_certificate.Span)
            && IsSame(criteria.Policy, _policy);
    }

    // A callback is to see each chain. Revocation is not known in advance, and a time of the policy's own is not our clock's.
    private static bool MayBeKept(in PeerVerdict.Criteria criteria) =>
        criteria is { IsServer: false, Callback: null }
        && criteria.VerdictLifetime > TimeSpan.Zero
        && (criteria.Policy?.RevocationMode ?? criteria.RevocationMode) == X509RevocationMode.NoCheck
        && criteria.Policy is null or { VerificationTimeIgnored: true };

    // A policy can be changed at any time, and two can say the same.
    private static bool IsSame(X509ChainPolicy? one, X509ChainPolicy? other)
    {
        if (one is null || other is null)
        {
            return one is null && other is null;
        }

        return one.TrustMode == other.TrustMode
            && one.VerificationFlags == other.VerificationFlags
            && one.RevocationFlag == other.RevocationFlag
            && one.DisableCertificateDownloads == other.DisableCertificateDownloads
            && IsSame(one.CustomTrustStore, other.CustomTrustStore)
            && IsSame(one.ExtraStore, other.ExtraStore)
            && IsSame(one.ApplicationPolicy, other.ApplicationPolicy)
            && IsSame(one.CertificatePolicy, other.CertificatePolicy);
    }

    private static bool IsSame(X509Certificate2Collection one, X509Certificate2Collection other)
    {
        if (one.Count != other.Count)
        {
            return false;
        }

        for (int i = 0; i < one.Count; i++)
        {
            // One that is disposed of has no handle, and no chain is built with it.
            if (!ReferenceEquals(one[i], other[i]) || one[i].Handle == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsSame(OidCollection one, OidCollection other)
    {
        if (one.Count != other.Count)
        {
            return false;
        }

        for (int i = 0; i < one.Count; i++)
        {
            if (one[i].Value != other[i].Value)
            {
                return false;
            }
        }

        return true;
    }
}
