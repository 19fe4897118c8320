using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Fallback;

/// <summary>SslStream as the server with <see cref="ServerCredentials"/>, as far as it can have them.</summary>
internal static class FallbackCredentials
{
    /// <summary>
    /// Chooses for a client. SslStream takes one certificate, whatever the client can verify: so it is one that the ClientHello
    /// speaks for, if it was read; else RSA, which all clients can verify.
    /// </summary>
    /// <param name="credentials">The server's.</param>
    /// <param name="serverName">The name that the client sent, or an empty string.</param>
    /// <param name="hello">The ClientHello, if it was read.</param>
    /// <param name="context">The certificate.</param>
    /// <param name="refusal">When false is returned: what to tell the client.</param>
    /// <param name="whyNot">And why SslStream cannot serve the client.</param>
    public static bool TrySelect(
        ServerCredentials credentials, string serverName, ClientHello? hello, [NotNullWhen(true)] out SslStreamCertificateContext? context, out AlertDescription refusal, [NotNullWhen(false)] out string? whyNot)
    {
        Func<CertificateCredential, bool>[] wishes =
        [
            credential => hello is not null && credential.SchemesFor(tls13: false).Any(hello.Offers),
            credential => credential.KeyKind == CertificateKeyKind.Rsa,
            _ => true,
        ];
        SslStreamCertificateContext? selected = null;
        string? reason = null;
        refusal = default;
        foreach (Func<CertificateCredential, bool> wish in wishes)
        {
            if (credentials.TrySelect(serverName, credential => wish(credential) && credential.TryGetSslStreamContext(out selected, out reason), out _, out refusal))
            {
                context = selected!;
                whyNot = null;
                return true;
            }

            if (refusal == AlertDescription.UnrecognizedName)
            {
                reason = "unknown names are refused";
                break;
            }
        }

        context = null;
        whyNot = reason!;
        return false;
    }

    /// <summary>Does the handshake.</summary>
    /// <exception cref="AuthenticationException">There is no credential for the client that SslStream can have.</exception>
    public static Task AuthenticateAsync(SslStream stream, ServerCredentials credentials, ClientHello? hello, SslServerAuthenticationOptions options, string reason, CancellationToken cancellationToken)
    {
        ValueTask<SslServerAuthenticationOptions> SelectAsync(SslStream sender, SslClientHelloInfo client, object? state, CancellationToken token) =>
            TrySelect(credentials, client.ServerName, hello, out SslStreamCertificateContext? context, out _, out string? whyNot)
                ? ValueTask.FromResult(WithContext(options, context))
                : throw new AuthenticationException($"The client is not served: {reason}; {whyNot}.");

        return stream.AuthenticateAsServerAsync(SelectAsync, state: null, cancellationToken);
    }

    /// <summary>The options with a certificate of their own.</summary>
    public static SslServerAuthenticationOptions WithContext(SslServerAuthenticationOptions options, SslStreamCertificateContext context)
    {
#pragma warning disable CA1416 // Copied from options that were made for this platform.
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = context,
            AllowRenegotiation = options.AllowRenegotiation,
            AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding,
            AllowRsaPssPadding = options.AllowRsaPssPadding,
            AllowTlsResume = options.AllowTlsResume,
            ApplicationProtocols = options.ApplicationProtocols,
            CertificateChainPolicy = options.CertificateChainPolicy,
            CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            CipherSuitesPolicy = options.CipherSuitesPolicy,
            ClientCertificateRequired = options.ClientCertificateRequired,
            EnabledSslProtocols = options.EnabledSslProtocols,
            EncryptionPolicy = options.EncryptionPolicy,
            RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        };
#pragma warning restore CA1416
    }
}
