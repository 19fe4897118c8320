using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.DataPlane;
using KTls.Handshake;

namespace KTls.Authentication;

/// <summary>The verdict on the peer's certificate, as SslStream reaches it: chain, name, and the callback's last word.</summary>
internal static class PeerVerdict
{
    /// <summary>What decides.</summary>
    /// <param name="Sender">What the callback gets as its sender.</param>
    /// <param name="TargetHost">On a client the name that the certificate must have; null on a server, where none is looked for.</param>
    /// <param name="IsRequired">Whether a peer without a certificate is refused, unless the callback takes it.</param>
    /// <param name="Policy">The user's policy for the chain.</param>
    /// <param name="RevocationMode">The revocation check where there is no policy.</param>
    /// <param name="Callback">The last word.</param>
    public readonly record struct Criteria(
        KTlsStream Sender, string? TargetHost, bool IsRequired, X509ChainPolicy? Policy, X509RevocationMode RevocationMode, RemoteCertificateValidationCallback? Callback)
    {
        public bool IsServer => TargetHost is null;

        /// <summary>How long a client may keep the verdict for sessions that it resumes; zero: not at all.</summary>
        public TimeSpan VerdictLifetime { get; init; }

        /// <summary>The clock of that.</summary>
        public TimeProvider Clock { get; init; } = TimeProvider.System;
    }

    /// <summary>Judges, and tells the handshake, which goes on or ends with an alert.</summary>
    /// <param name="handshake">The handshake.</param>
    /// <param name="driver">What sends the alert.</param>
    /// <param name="criteria">What decides.</param>
    /// <param name="kept">The verdict that the session began under, if it is resumed.</param>
    /// <param name="cancellationToken">Cancels the alert.</param>
    /// <returns>The verdict, if it may be kept.</returns>
    /// <exception cref="AuthenticationException">The certificate is refused.</exception>
    public static async ValueTask<KeptVerdict?> ReachAsync(
        TlsHandshake handshake, HandshakeDriver driver, Criteria criteria, KeptVerdict? kept, CancellationToken cancellationToken)
    {
        AlertDescription alert = AlertDescription.InternalError;
        try
        {
            // The verdict is kept with the policy that was asked: the user's may change while the chain is built.
            if (criteria.VerdictLifetime > TimeSpan.Zero)
            {
                criteria = criteria with { Policy = criteria.Policy?.Clone() };
            }

            bool holds = kept is not null && handshake is { IsResumed: true, PeerCertificate: { } certificate } && kept.Holds(criteria, certificate);
            KeptVerdict? verdict = holds ? kept : Judge(handshake, criteria, ref alert);
            handshake.AcceptPeerCertificate();
            return verdict;
        }
        catch (TlsAlertException)
        {
            await driver.SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
            throw;
        }
        catch
        {
            await driver.FailAsync(handshake, alert, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    private static KeptVerdict? Judge(TlsHandshake handshake, Criteria criteria, ref AlertDescription alert)
    {
        if (handshake.PeerCertificate is not { } certificate)
        {
            JudgeNone(criteria, ref alert);
            return null;
        }

        IReadOnlyList<X509Certificate2> others = handshake.LoadOtherCertificates();
        using var chain = new X509Chain();
        try
        {
            chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(criteria.Policy, criteria.RevocationMode, others, criteria.IsServer);
            SslPolicyErrors errors = PeerCertificateValidation.Validate(chain, certificate, criteria.TargetHost);
            bool isTrusted = criteria.Callback?.Invoke(criteria.Sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
            if (!isTrusted)
            {
                alert = (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 ? PeerCertificateValidation.AlertFor(chain) : AlertDescription.BadCertificate;
                throw new AuthenticationException(Describe(errors, chain));
            }

            return KeptVerdict.TryKeep(criteria, certificate, chain);
        }
        finally
        {
            foreach (X509Certificate2 other in others)
            {
                other.Dispose();
            }

            foreach (X509ChainElement element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    /// <summary>The verdict on a peer without a certificate: the callback is asked even where none was wanted, as by SslStream.</summary>
    /// <exception cref="AuthenticationException">The peer is refused.</exception>
    public static void JudgeNone(Criteria criteria, ref AlertDescription alert)
    {
        const SslPolicyErrors Missing = SslPolicyErrors.RemoteCertificateNotAvailable;
        bool isTrusted = criteria.Callback?.Invoke(criteria.Sender, null, null, Missing) ?? !criteria.IsRequired;
        if (!isTrusted)
        {
            alert = AlertDescription.CertificateRequired;
            throw new AuthenticationException(criteria.Callback is null ? "The peer showed no certificate, and one is required." : "RemoteCertificateValidationCallback refused a peer without a certificate.");
        }
    }

    private static string Describe(SslPolicyErrors errors, X509Chain chain)
    {
        if (errors == SslPolicyErrors.None)
        {
            return "RemoteCertificateValidationCallback refused the peer's certificate.";
        }

        string details = string.Join(", ", chain.ChainStatus.Select(status => status.Status));
        return $"The peer's certificate is not trusted: {errors}{(details.Length == 0 ? string.Empty : $" ({details})")}.";
    }
}
