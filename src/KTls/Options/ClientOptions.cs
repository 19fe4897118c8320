using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KTls.Handshake;

namespace KTls.Options;

/// <summary>What <see cref="SslClientAuthenticationOptions"/> mean for our handshake.</summary>
internal static class ClientOptions
{
    private static readonly IdnMapping Idn = new();

    // As with SslStream, sessions can be resumed unless the options forbid it.
    private static readonly ClientSessionCache ProcessSessions = new();

    /// <summary>Why only SslStream can honour the options; null when we can.</summary>
    public static string? WhyOnlySslStream(SslClientAuthenticationOptions options)
    {
        return options switch
        {
            { LocalCertificateSelectionCallback: not null } => "LocalCertificateSelectionCallback is set",
            { AllowRsaPssPadding: false } => "AllowRsaPssPadding is false",
            { AllowRsaPkcs1Padding: false } => "AllowRsaPkcs1Padding is false",
            { EnabledSslProtocols: var protocols } when (protocols & ~SharedOptions.OurProtocols) != 0
                => $"EnabledSslProtocols ({protocols}) has more than TLS 1.2 and TLS 1.3",
            _ => WhyNotCredentials(options)
                ?? SharedOptions.WhyOnlySslStream(options.EnabledSslProtocols, options.EncryptionPolicy, options.CipherSuitesPolicy),
        };
    }

    /// <summary>Certificates come from one place.</summary>
    /// <exception cref="ArgumentException">They come from both.</exception>
    public static void RequireOneSourceOfCertificates(SslClientAuthenticationOptions options, ClientCredentials? credentials)
    {
        if (credentials is not null
            && options is not { ClientCertificates: null or { Count: 0 }, ClientCertificateContext: null, LocalCertificateSelectionCallback: null })
        {
            throw new ArgumentException(
                "KTlsOptions.ClientCredentials is set, and so is ClientCertificates, ClientCertificateContext or LocalCertificateSelectionCallback: leave one of both out.",
                nameof(options));
        }
    }

    /// <summary>Translates the options for our handshake.</summary>
    /// <param name="options">The options.</param>
    /// <param name="host">The host as <see cref="NormalizeHost"/> has it.</param>
    /// <param name="kernelOptions">What KTls adds.</param>
    /// <param name="session">The session to resume, or null.</param>
    public static ClientHandshakeOptions Translate(SslClientAuthenticationOptions options, string host, KTlsOptions kernelOptions, ClientSession? session) => new()
    {
        // RFC 6066 §3: names only, no addresses.
        ServerName = IsAddress(host) ? string.Empty : host,
        Protocols = SharedOptions.Protocols(options.EnabledSslProtocols),
        ApplicationProtocols = options.ApplicationProtocols is { Count: > 0 } protocols ? protocols : [],
        CipherSuites = SharedOptions.CipherSuites(options.CipherSuitesPolicy),
        Groups = kernelOptions.Groups ?? SupportedParameters.Groups,
        SelectCertificate = CertificateSelector(options, kernelOptions.ClientCredentials),
        Session = session,
        RequestTickets = options.AllowTlsResume,
        RequireExtendedMasterSecret = kernelOptions.RequireExtendedMasterSecret,
        RequestOcspResponse = kernelOptions.RequestOcspResponse,
        Limits = kernelOptions.HandshakeLimits,
        KeyLog = kernelOptions.KeyLog,
    };

    /// <summary>Where the sessions are kept; null when the options forbid to resume.</summary>
    public static IClientSessionStore? SessionStore(SslClientAuthenticationOptions options, KTlsOptions kernelOptions) =>
        options.AllowTlsResume ? kernelOptions.SessionStore ?? ProcessSessions : null;

    /// <summary>
    /// For whom a session is: the endpoint, the name, and all that the server agreed to or was shown. Under other options another
    /// session is needed.
    /// </summary>
    public static string SessionKey(SslClientAuthenticationOptions options, string host, ClientCredentials? credentials, EndPoint? endPoint)
    {
        var key = new StringBuilder();
        key.Append(endPoint).Append('|').Append(host).Append('|').Append((int)SharedOptions.Protocols(options.EnabledSslProtocols)).Append('|');
        if (options.CipherSuitesPolicy is not null)
        {
            key.AppendJoin(',', SharedOptions.CipherSuites(options.CipherSuitesPolicy));
        }

        key.Append('|');
        if (options.ClientCertificateContext is { } context)
        {
            key.Append(context.TargetCertificate.GetCertHashString(HashAlgorithmName.SHA256));
        }
        else if (options.ClientCertificates is { Count: > 0 } certificates)
        {
            key.AppendJoin(',', certificates.Cast<X509Certificate>().Select(certificate => certificate.GetCertHashString(HashAlgorithmName.SHA256)));
        }
        else if (credentials is not null)
        {
            key.AppendJoin(',', credentials.All.Select(credential => credential.Certificate.GetCertHashString(HashAlgorithmName.SHA256)));
        }

        return key.ToString();
    }

    /// <summary>The name that is looked for in the certificate: in ASCII, without a final dot.</summary>
    /// <exception cref="ArgumentException">The host is no name.</exception>
    public static string NormalizeHost(string? targetHost)
    {
        string host = (targetHost ?? string.Empty).TrimEnd('.');
        return host.Length == 0 || IsAddress(host) ? host : Idn.GetAscii(host);
    }

    private static string? WhyNotCredentials(SslClientAuthenticationOptions options)
    {
        if (options.ClientCertificateContext is { } context)
        {
            return ServerOptions.TryGetCredential(context, out _, out string? reason) ? null : $"ClientCertificateContext: {reason}";
        }

        foreach (X509Certificate certificate in options.ClientCertificates ?? [])
        {
            if (!ServerOptions.TryGetCredential(certificate, out _, out string? reason))
            {
                return $"ClientCertificates: {reason}";
            }
        }

        return null;
    }

    private static Func<ClientCertificateRequest, CertificateCredential?>? CertificateSelector(SslClientAuthenticationOptions options, ClientCredentials? credentials)
    {
        if (credentials is not null)
        {
            return request => credentials.Select(request.CertificateAuthorities, request.Accepts);
        }

        if (options.ClientCertificateContext is { } context)
        {
            // SslStream shows it to whoever asks, whatever issuers the server names.
            return _ => ServerOptions.TryGetCredential(context, out CertificateCredential? credential, out string? _) ? credential : null;
        }

        return options.ClientCertificates is { Count: > 0 } certificates
            ? request => new ClientCredentials(certificates.Cast<X509Certificate>().Select(Credential)).Select(request.CertificateAuthorities, request.Accepts)
            : null;
    }

    private static CertificateCredential Credential(X509Certificate certificate) =>
        ServerOptions.TryGetCredential(certificate, out CertificateCredential? credential, out string? reason) ? credential : throw new AuthenticationException(reason);

    private static bool IsAddress(string host) => IPAddress.TryParse(host, out _);
}
