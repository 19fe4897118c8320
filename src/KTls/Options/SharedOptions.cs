using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Options;

/// <summary>What the options of both roles have in common.</summary>
internal static class SharedOptions
{
    /// <summary>The versions of our handshake.</summary>
    public const SslProtocols OurProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>Why only SslStream can honour the options; null when we can.</summary>
    public static string? WhyOnlySslStream(SslProtocols protocols, EncryptionPolicy encryption, CipherSuitesPolicy? suites)
    {
        if (encryption != EncryptionPolicy.RequireEncryption)
        {
            return $"EncryptionPolicy is {encryption}";
        }

        // None leaves the choice to the system, which has both.
        if (protocols != SslProtocols.None && (protocols & OurProtocols) == 0)
        {
            return $"EnabledSslProtocols ({protocols}) has neither TLS 1.2 nor TLS 1.3";
        }

        return suites is not null && Spoken(protocols, suites) == SslProtocols.None
            ? "CipherSuitesPolicy allows no cipher suite that KTls has"
            : null;
    }

    /// <summary>The versions of ours that are enabled.</summary>
    public static SslProtocols Protocols(SslProtocols enabled) => enabled == SslProtocols.None ? OurProtocols : enabled & OurProtocols;

    /// <summary>The versions of ours that are enabled and have a suite of ours.</summary>
    public static SslProtocols Spoken(SslProtocols enabled, CipherSuitesPolicy? policy) => SupportedParameters.WithSuites(Protocols(enabled), CipherSuites(policy));

    /// <summary>The suites that a policy allows, in the policy's order; without a policy all that we have.</summary>
    public static IReadOnlyList<TlsCipherSuite> CipherSuites(CipherSuitesPolicy? policy)
    {
        if (policy is null)
        {
            return SupportedParameters.CipherSuites;
        }

#pragma warning disable CA1416 // A policy exists only where the platform supports one.
        return [.. policy.AllowedCipherSuites.Where(SupportedParameters.CipherSuites.Contains)];
#pragma warning restore CA1416
    }
}
