using System.Net.Security;
using KTls.Handshake;

namespace KTls.Fallback;

/// <summary>SslStream as the server with <see cref="ServerCredentials"/>, as far as it can have them.</summary>
internal static class FallbackCredentials
{
    /// <summary>The certificate for a client, while the client can still be told that SslStream can serve it with none.</summary>
    /// <param name="credentials">The server's; null: SslStream has certificates of its own.</param>
    /// <param name="hello">The ClientHello.</param>
    /// <param name="reason">Why it has to be SslStream.</param>
    /// <exception cref="TlsAlertException">SslStream can have none of the credentials.</exception>
    public static SslStreamCertificateContext? Choose(ServerCredentials? credentials, ClientHello hello, string reason) =>
        credentials is null ? null : Select(credentials, hello.ServerName, hello, reason);

    /// <summary>Does the handshake of a client whose ClientHello nobody has read.</summary>
    /// <exception cref="TlsAlertException">SslStream cannot serve the client.</exception>
    public static Task AuthenticateAsync(SslStream stream, ServerCredentials credentials, SslServerAuthenticationOptions options, string reason, CancellationToken cancellationToken)
    {
        return stream.AuthenticateAsServerAsync(
            (_, client, _, _) => ValueTask.FromResult(WithContext(options, Select(credentials, client.ServerName, hello: null, reason))), state: null, cancellationToken);
    }

    /// <summary>The failure when a client asks for a name that there is not, and gets nothing else.</summary>
    public static TlsAlertException UnrecognizedName() =>
        new(AlertDescription.UnrecognizedName, "The client asks for a name that no credential has.");

    // SslStream takes one certificate, whatever the client can verify: so it is one that the ClientHello speaks for, if it was
    // read; else RSA, which all clients can verify.
    private static SslStreamCertificateContext Select(ServerCredentials credentials, string serverName, ClientHello? hello, string reason)
    {
        Func<CertificateCredential, bool>[] wishes =
        [
            credential => hello is not null && credential.SchemesFor(tls13: false).Any(hello.Offers),
            credential => credential.KeyKind == CertificateKeyKind.Rsa,
            _ => true,
        ];
        SslStreamCertificateContext? context = null;
        string? whyNot = null;
        foreach (Func<CertificateCredential, bool> wish in wishes)
        {
            if (credentials.TrySelect(serverName, credential => wish(credential) && credential.TryGetSslStreamContext(out context, out whyNot), out _, out AlertDescription refusal))
            {
                return context!;
            }

            if (refusal == AlertDescription.UnrecognizedName)
            {
                throw UnrecognizedName();
            }
        }

        throw new TlsAlertException(AlertDescription.HandshakeFailure, $"The client is not served: {reason}; {whyNot}.");
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
