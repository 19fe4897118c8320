using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Fallback;

/// <summary>SslStream as the client with <see cref="ClientCredentials"/>, as far as it can have them.</summary>
internal static class FallbackClientCredentials
{
    /// <summary>The options for SslStream: with the first credential that it can have, to which its context is bound.</summary>
    /// <param name="credentials">The client's; null: the options have certificates of their own.</param>
    /// <param name="options">The options.</param>
    /// <param name="reason">Why it has to be SslStream.</param>
    /// <exception cref="AuthenticationException">SslStream can have none of the credentials.</exception>
    public static SslClientAuthenticationOptions Apply(ClientCredentials? credentials, SslClientAuthenticationOptions options, string reason)
    {
        if (credentials is not { All.Count: > 0 })
        {
            return options;
        }

        string? whyNot = null;
        foreach (CertificateCredential credential in credentials.All)
        {
            if (credential.TryGetSslStreamContext(out SslStreamCertificateContext? context, out whyNot))
            {
                return WithContext(options, context);
            }
        }

        throw new AuthenticationException($"The client cannot show its certificate: {reason}; {whyNot}.");
    }

    /// <summary>The options with a certificate of their own.</summary>
    public static SslClientAuthenticationOptions WithContext(SslClientAuthenticationOptions options, SslStreamCertificateContext context)
    {
#pragma warning disable CA1416 // Copied from options that were made for this platform.
        return new SslClientAuthenticationOptions
        {
            ClientCertificateContext = context,
            AllowRenegotiation = options.AllowRenegotiation,
            AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding,
            AllowRsaPssPadding = options.AllowRsaPssPadding,
            AllowTlsResume = options.AllowTlsResume,
            ApplicationProtocols = options.ApplicationProtocols,
            CertificateChainPolicy = options.CertificateChainPolicy,
            CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            CipherSuitesPolicy = options.CipherSuitesPolicy,
            EnabledSslProtocols = options.EnabledSslProtocols,
            EncryptionPolicy = options.EncryptionPolicy,
            RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
            TargetHost = options.TargetHost,
        };
#pragma warning restore CA1416
    }
}
