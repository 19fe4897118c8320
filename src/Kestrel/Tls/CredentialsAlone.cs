using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KTls.Kestrel.Tls;

/// <summary>
/// Endpoints whose certificates are <see cref="KTlsOptions.ServerCredentials"/>. Stock HTTPS, which comes next, does not know these, and does not
/// start without a certificate: it gets a selector that has none, so whoever comes to it is refused.
/// </summary>
internal static class CredentialsAlone
{
    private static readonly Func<ConnectionContext?, string?, X509Certificate2?> NoCertificate = (_, _) => null;

    /// <summary>Whether the selector is the one of <see cref="CompleteForStock"/>.</summary>
    public static bool IsStandIn(Func<ConnectionContext?, string?, X509Certificate2?>? selector) => selector == NoCertificate;

    /// <summary>Lets stock HTTPS start without a certificate, and look for no default one.</summary>
    public static void CompleteForStock(HttpsConnectionAdapterOptions https, KTlsOptions kernelOptions)
    {
        if (kernelOptions.ServerCredentials is not null && https is { ServerCertificate: null, ServerCertificateSelector: null })
        {
            https.ServerCertificateSelector = NoCertificate;
        }
    }

    /// <exception cref="InvalidOperationException">There is another certificate, or only stock HTTPS can serve.</exception>
    public static void Check(HttpsConnectionAdapterOptions https, HttpProtocols protocols)
    {
        if (https.ServerCertificate is not null || !IsStandIn(https.ServerCertificateSelector))
        {
            throw TwoSources();
        }

        if ((protocols.HasFlag(HttpProtocols.Http3) ? "HTTP/3 is enabled for it" : AdapterHandshakes.WhyOnlyHttpsCan(https)) is { } reason)
        {
            throw new InvalidOperationException($"KTlsOptions.ServerCredentials is set, which stock HTTPS does not know, and only stock HTTPS can serve the endpoint, because {reason}.");
        }
    }

    /// <summary>For an endpoint that has a certificate.</summary>
    public static InvalidOperationException TwoSources() =>
        new("KTlsOptions.ServerCredentials is set for an endpoint that has a certificate from its HTTPS options, their defaults or the configuration: leave one of both out.");
}
