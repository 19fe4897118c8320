using System.Net.Security;
using KTls.Handshake;
using KTls.Options;

namespace KTls.Fallback;

/// <summary>SslStream as the server with <see cref="ServerCredentials"/>, as far as it can have them.</summary>
internal static class FallbackCredentials
{
    // Those below TLS 1.3 say what key signs, or decrypts.
    private static readonly TlsCipherSuite[] EcdsaSuites = SuitesWith("_ECDHE_ECDSA_WITH_");
    private static readonly TlsCipherSuite[] RsaSuites = SuitesWith("TLS_RSA_WITH_", "_ECDHE_RSA_WITH_", "_DHE_RSA_WITH_");

    /// <summary>The failure when a client asks for a name that there is not, and gets nothing else.</summary>
    public static TlsAlertException UnrecognizedName() =>
        new(AlertDescription.UnrecognizedName, "The client asks for a name that no credential has.");

    /// <summary>
    /// The certificate for a client. SslStream takes one, whatever the client can verify: so it is one that the ClientHello speaks for,
    /// if it was read; else RSA, which all clients can verify.
    /// </summary>
    /// <param name="credentials">The server's.</param>
    /// <param name="serverName">The name that the client sent, or an empty string.</param>
    /// <param name="options">The server's options, but for certificates.</param>
    /// <param name="hello">The ClientHello; null: nobody has read it.</param>
    /// <param name="reason">Why it has to be SslStream.</param>
    /// <exception cref="TlsAlertException">SslStream can have none of the credentials.</exception>
    public static SslStreamCertificateContext Choose(ServerCredentials credentials, string serverName, SslServerAuthenticationOptions options, ClientHello? hello, string reason)
    {
        Func<CertificateCredential, bool>[] wishes =
        [
            credential => hello is not null && credential.SchemesFor(tls13: false).Any(hello.Offers) && HasSuiteFor(credential.KeyKind, hello, options),
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
        SslServerAuthenticationOptions copy = ServerOptions.WithoutCertificate(options);
        copy.ServerCertificateContext = context;
        return copy;
    }

    private static bool HasSuiteFor(CertificateKeyKind kind, ClientHello hello, SslServerAuthenticationOptions options) =>
        (hello.OffersTls13 && ServerOptions.SpeaksTls13(options))
        || (kind == CertificateKeyKind.Rsa ? RsaSuites : EcdsaSuites).Any(suite => hello.Offers(suite) && IsAllowed(suite, options));

    private static bool IsAllowed(TlsCipherSuite suite, SslServerAuthenticationOptions options) =>
#pragma warning disable CA1416 // A policy exists only where the platform supports one.
        options.CipherSuitesPolicy is null || options.CipherSuitesPolicy.AllowedCipherSuites.Contains(suite);
#pragma warning restore CA1416

    private static TlsCipherSuite[] SuitesWith(params string[] parts) =>
        [.. Enum.GetValues<TlsCipherSuite>().Where(suite => Array.Exists(parts, part => suite.ToString().Contains(part, StringComparison.Ordinal)))];
}
