using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Options;

/// <summary>What <see cref="SslServerAuthenticationOptions"/> mean for our handshake.</summary>
internal static class ServerOptions
{
    private static readonly IdnMapping Idn = new();
    private static readonly SearchValues<char> PlainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");

    // A certificate's chain is built and its key opened once, not for every connection.
    private static readonly ConditionalWeakTable<X509Certificate2, CertificateCredential> ByCertificate = [];
    private static readonly ConditionalWeakTable<SslStreamCertificateContext, CertificateCredential> ByContext = [];

    // As with SslStream, sessions can be resumed unless the options forbid it.
    private static readonly TicketKeyRing ProcessTickets = new();

    /// <summary>Why only SslStream can honour the options; null when we can.</summary>
    public static string? WhyOnlySslStream(SslServerAuthenticationOptions options)
    {
        return options switch
        {
            // A chain policy does not make up for it: the names of the authorities go to the client all the same.
            { ClientCertificateRequired: true, ServerCertificateContext: { } context } when CertificateContextTrust.MayBeSet(context)
                => "ServerCertificateContext names the authorities of client certificates",
            { AllowRenegotiation: true } when !SpeaksTls13(options)
                => "AllowRenegotiation is set, with TLS 1.2 alone",
            { AllowRsaPssPadding: false } => "AllowRsaPssPadding is false",
            { AllowRsaPkcs1Padding: false } => "AllowRsaPkcs1Padding is false",
            _ => SharedOptions.WhyOnlySslStream(options.EnabledSslProtocols, options.EncryptionPolicy, options.CipherSuitesPolicy),
        };
    }

    /// <summary>Whether a client that offers TLS 1.3 gets it.</summary>
    public static bool SpeaksTls13(SslServerAuthenticationOptions options) => SharedOptions.Spoken(options.EnabledSslProtocols, options.CipherSuitesPolicy).HasFlag(SslProtocols.Tls13);

    /// <summary>Certificates come from one place, as SslStream demands it too.</summary>
    /// <exception cref="ArgumentException">They come from the credentials and from the options.</exception>
    /// <exception cref="InvalidOperationException">They come from the callback and from another of the options.</exception>
    /// <exception cref="NotSupportedException">They come from nowhere.</exception>
    public static void RequireOneSourceOfCertificates(SslServerAuthenticationOptions options, ServerCredentials? credentials)
    {
        if (credentials is not null
            && options is not { ServerCertificate: null, ServerCertificateContext: null, ServerCertificateSelectionCallback: null })
        {
            throw new ArgumentException(
                "KTlsOptions.ServerCredentials is set, and so is ServerCertificate, ServerCertificateContext or ServerCertificateSelectionCallback: leave one of both out.",
                nameof(options));
        }

        bool isFixed = options.ServerCertificate is not null || options.ServerCertificateContext is not null;
        if (isFixed && options.ServerCertificateSelectionCallback is not null)
        {
            throw new InvalidOperationException(
                "ServerCertificateSelectionCallback is set, and so is ServerCertificate or ServerCertificateContext: leave one of both out.");
        }

        if (!isFixed && options.ServerCertificateSelectionCallback is null && credentials is null)
        {
            throw new NotSupportedException(
                "The options name no server certificate: set ServerCertificateContext, ServerCertificate, ServerCertificateSelectionCallback or KTlsOptions.ServerCredentials.");
        }
    }

    /// <summary>The name that the client asks for as SslStream shows it: Unicode where the wire has an A-label (RFC 5890 §2.3.2.1).</summary>
    public static string UnicodeName(ClientHello hello)
    {
        // Nearly all names are the same in both forms; IDNA takes its time to find that out.
        if (!hello.ServerName.AsSpan().ContainsAnyExcept(PlainCharacters) && !hello.ServerName.Contains("xn--", StringComparison.Ordinal))
        {
            return hello.ServerName;
        }

        try
        {
            return Idn.GetUnicode(hello.ServerName);
        }
        catch (ArgumentException)
        {
            // Not a name that IDNA knows: as it came.
            return hello.ServerName;
        }
    }

    /// <summary>The options with the certificate that the callback selects, if there is one: it is asked once, whoever goes on with the client.</summary>
    /// <param name="sender">What the callback gets as its sender.</param>
    /// <param name="options">The options.</param>
    /// <param name="serverName">The name that the client sent, or an empty string.</param>
    /// <exception cref="AuthenticationException">The callback returned none.</exception>
    public static SslServerAuthenticationOptions WithSelectedCertificate(object sender, SslServerAuthenticationOptions options, string serverName)
    {
        if (options.ServerCertificateSelectionCallback is not { } select)
        {
            return options;
        }

        SslServerAuthenticationOptions copy = WithoutCertificate(options);
        copy.ServerCertificate = select(sender, serverName)
            ?? throw new AuthenticationException("ServerCertificateSelectionCallback returned no certificate.");
        return copy;
    }

    /// <summary>A copy of the options that names no certificate.</summary>
    public static SslServerAuthenticationOptions WithoutCertificate(SslServerAuthenticationOptions options)
    {
#pragma warning disable CA1416 // Copied from options that were made for this platform.
        return new SslServerAuthenticationOptions
        {
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

    /// <summary>The certificate that the options name.</summary>
    /// <param name="options">The options, <see cref="WithSelectedCertificate"/>.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="reason">When false is returned: why our handshake cannot use the certificate.</param>
    /// <exception cref="AuthenticationException">They name none.</exception>
    public static bool TryGetCredential(SslServerAuthenticationOptions options, [NotNullWhen(true)] out CertificateCredential? credential, out string? reason)
    {
        if (options.ServerCertificateContext is { } context)
        {
            return TryGetCredential(context, out credential, out reason);
        }

        return options.ServerCertificate is { } certificate
            ? TryGetCredential(certificate, out credential, out reason)
            : throw new AuthenticationException("The options name no server certificate: set ServerCertificateContext, ServerCertificate or ServerCertificateSelectionCallback, or KTlsOptions.ServerCredentials.");
    }

    /// <summary>Translates the options for our handshake.</summary>
    public static ServerHandshakeOptions Translate(SslServerAuthenticationOptions options, KTlsOptions kernelOptions, CertificateCredential credential) => new()
    {
        Credential = credential,
        Protocols = SharedOptions.Protocols(options.EnabledSslProtocols),
        ApplicationProtocols = options.ApplicationProtocols is { Count: > 0 } protocols ? protocols : [],
        CipherSuites = SharedOptions.CipherSuites(options.CipherSuitesPolicy),
        Groups = kernelOptions.Groups ?? SupportedParameters.Groups,
        RequestClientCertificate = options.ClientCertificateRequired,
        RequireExtendedMasterSecret = kernelOptions.RequireExtendedMasterSecret,
        Tickets = options.AllowTlsResume ? kernelOptions.TicketKeys ?? ProcessTickets : null,
        TicketCount = kernelOptions.TicketCount,
        KeyLog = kernelOptions.KeyLog,
    };

    /// <summary>The credential of a context.</summary>
    public static bool TryGetCredential(SslStreamCertificateContext context, [NotNullWhen(true)] out CertificateCredential? credential, out string? reason)
    {
        reason = null;
        if (ByContext.TryGetValue(context, out credential))
        {
            return true;
        }

        if (!CertificateCredential.TryCreate(context, out credential, out reason))
        {
            return false;
        }

        ByContext.AddOrUpdate(context, credential);
        return true;
    }

    /// <summary>The credential of a certificate with its private key.</summary>
    public static bool TryGetCredential(X509Certificate certificate, [NotNullWhen(true)] out CertificateCredential? credential, out string? reason)
    {
        credential = null;
        if (certificate is not X509Certificate2 { HasPrivateKey: true } withKey)
        {
            // SslStream looks for the key in the certificate stores.
            reason = "the certificate comes without its private key";
            return false;
        }

        reason = null;
        if (ByCertificate.TryGetValue(withKey, out credential))
        {
            return true;
        }

        if (!TryGetCredential(SslStreamCertificateContext.Create(withKey, additionalCertificates: null), out credential, out reason))
        {
            return false;
        }

        ByCertificate.AddOrUpdate(withKey, credential);
        return true;
    }
}
