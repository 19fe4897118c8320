using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Options;

/// <summary>What the options of both roles have in common.</summary>
internal static class SharedOptions
{
    /// <summary>Why only SslStream can honour the options; null when we can.</summary>
    public static string? WhyOnlySslStream(SslProtocols protocols, EncryptionPolicy encryption, CipherSuitesPolicy? suites)
    {
        // None leaves the choice to the system, which has TLS 1.3.
        if (protocols != SslProtocols.None && (protocols & SslProtocols.Tls13) == 0)
        {
            return $"EnabledSslProtocols ({protocols}) leaves out TLS 1.3";
        }

        if (encryption != EncryptionPolicy.RequireEncryption)
        {
            return $"EncryptionPolicy is {encryption}";
        }

        return CipherSuites(suites).Count == 0 ? "CipherSuitesPolicy allows no cipher suite of TLS 1.3 that KTls has" : null;
    }

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
