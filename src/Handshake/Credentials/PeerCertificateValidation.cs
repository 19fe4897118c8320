using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

/// <summary>Judges a peer's certificate as <see cref="SslStream"/> does: by chain and, a server's, by name.</summary>
[Experimental(Maturity.Experimental)]
public static class PeerCertificateValidation
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>
    /// The policy for a chain: the user's own, or one with the given revocation check; a server's fetches no certificates that a
    /// client has left out (authority information access, RFC 5280 §4.2.2.1).
    /// </summary>
    /// <param name="userPolicy">The policy of the options, or null. It is not changed.</param>
    /// <param name="revocationMode">The revocation check where there is no <paramref name="userPolicy"/>.</param>
    /// <param name="sentByPeer">The certificates that came beside the peer's own.</param>
    /// <param name="isServer">Whether this end is the server, and the certificate a client's.</param>
    /// <returns>A policy for one chain.</returns>
    public static X509ChainPolicy CreatePolicy(X509ChainPolicy? userPolicy, X509RevocationMode revocationMode, IEnumerable<X509Certificate2> sentByPeer, bool isServer = false)
    {
        X509ChainPolicy policy = userPolicy?.Clone() ?? new X509ChainPolicy
        {
            RevocationMode = revocationMode,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,

            // Whoever connects writes addresses into a certificate as he likes: a server must not fetch from them, nor wait for them.
            // SslStream does so from .NET 11 on.
            DisableCertificateDownloads = isServer,
        };

        foreach (X509Certificate2 certificate in sentByPeer)
        {
            policy.ExtraStore.Add(certificate);
        }

        if (policy.ApplicationPolicy.Count == 0)
        {
            policy.ApplicationPolicy.Add(new Oid(isServer ? ClientAuthentication : ServerAuthentication));
        }

        return policy;
    }

    /// <summary>Builds the chain and compares the name.</summary>
    /// <param name="chain">The chain with its policy, which may have the name ignored (<see cref="X509VerificationFlags.IgnoreInvalidName"/>); filled by this call.</param>
    /// <param name="certificate">The peer's certificate.</param>
    /// <param name="targetHost">The host name or address that the user wants to reach; null for a client's certificate, whose name is not looked at.</param>
    /// <returns>What is wrong, or <see cref="SslPolicyErrors.None"/>.</returns>
    public static SslPolicyErrors Validate(X509Chain chain, X509Certificate2 certificate, string? targetHost)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(certificate);
        SslPolicyErrors errors = BuildsChain(chain, certificate) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        if (targetHost is not null && !chain.ChainPolicy.VerificationFlags.HasFlag(X509VerificationFlags.IgnoreInvalidName) && (targetHost.Length == 0 || !MatchesHost(certificate, targetHost)))
        {
            errors |= SslPolicyErrors.RemoteCertificateNameMismatch;
        }

        return errors;
    }

    /// <summary>The alert that tells the peer why its certificate is refused (RFC 8446 §6.2).</summary>
    /// <param name="chain">The chain that was built.</param>
    /// <returns>The alert.</returns>
    public static AlertDescription AlertFor(X509Chain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        X509ChainStatusFlags all = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain.ChainStatus)
        {
            all |= status.Status;
        }

        const X509ChainStatusFlags UnknownCa = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.Cyclic;
        const X509ChainStatusFlags Expired = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotTimeNested | X509ChainStatusFlags.CtlNotTimeValid;
        const X509ChainStatusFlags WrongUse = X509ChainStatusFlags.NotValidForUsage | X509ChainStatusFlags.CtlNotValidForUsage;
        const X509ChainStatusFlags Bad = X509ChainStatusFlags.NotSignatureValid | X509ChainStatusFlags.InvalidBasicConstraints | X509ChainStatusFlags.InvalidExtension
            | X509ChainStatusFlags.InvalidNameConstraints | X509ChainStatusFlags.HasNotSupportedCriticalExtension;
        const X509ChainStatusFlags Revoked = X509ChainStatusFlags.Revoked | X509ChainStatusFlags.ExplicitDistrust;
        return all switch
        {
            _ when (all & Revoked) != 0 => AlertDescription.CertificateRevoked,
            _ when (all & Bad) != 0 => AlertDescription.BadCertificate,
            _ when (all & Expired) != 0 => AlertDescription.CertificateExpired,
            _ when (all & WrongUse) != 0 => AlertDescription.UnsupportedCertificate,
            _ when (all & UnknownCa) != 0 => AlertDescription.UnknownCa,
            X509ChainStatusFlags.NoError => AlertDescription.BadCertificate,
            _ => AlertDescription.CertificateUnknown,
        };
    }

    private static bool BuildsChain(X509Chain chain, X509Certificate2 certificate)
    {
        try
        {
            return chain.Build(certificate);
        }
        catch (CryptographicException)
        {
            // An extension that cannot be decoded: X509Chain throws for some of them.
            return false;
        }
    }

    private static bool MatchesHost(X509Certificate2 certificate, string targetHost)
    {
        try
        {
            return certificate.MatchesHostname(targetHost);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or InvalidOperationException)
        {
            // Neither a host name nor an address, or names that cannot be decoded: the certificate is not for it.
            return false;
        }
    }
}
