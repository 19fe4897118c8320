using System.Globalization;
using System.Net;
using System.Net.Security;
using KTls.Handshake;

namespace KTls.Options;

/// <summary>What <see cref="SslClientAuthenticationOptions"/> mean for our handshake.</summary>
internal static class ClientOptions
{
    private static readonly IdnMapping Idn = new();

    /// <summary>Why only SslStream can honour the options; null when we can.</summary>
    public static string? WhyOnlySslStream(SslClientAuthenticationOptions options)
    {
        return options switch
        {
            { ClientCertificates.Count: > 0 } => "ClientCertificates is set",
            { ClientCertificateContext: not null } => "ClientCertificateContext is set",
            { LocalCertificateSelectionCallback: not null } => "LocalCertificateSelectionCallback is set",
            { AllowRsaPssPadding: false } => "AllowRsaPssPadding is false",
            { AllowRsaPkcs1Padding: false } => "AllowRsaPkcs1Padding is false",
            _ => SharedOptions.WhyOnlySslStream(options.EnabledSslProtocols, options.EncryptionPolicy, options.CipherSuitesPolicy),
        };
    }

    /// <summary>Translates the options for our handshake.</summary>
    public static ClientHandshakeOptions Translate(SslClientAuthenticationOptions options) => new()
    {
        ServerName = ServerName(options.TargetHost),
        ApplicationProtocols = options.ApplicationProtocols is { Count: > 0 } protocols ? protocols : [],
        CipherSuites = SharedOptions.CipherSuites(options.CipherSuitesPolicy),
    };

    /// <summary>The name that is looked for in the certificate: in ASCII, without a final dot.</summary>
    /// <exception cref="ArgumentException">The host is no name.</exception>
    public static string NormalizeHost(string? targetHost)
    {
        string host = (targetHost ?? string.Empty).TrimEnd('.');
        return host.Length == 0 || IsAddress(host) ? host : Idn.GetAscii(host);
    }

    // RFC 6066 §3: names only, no addresses.
    private static string ServerName(string? targetHost)
    {
        string host = NormalizeHost(targetHost);
        return IsAddress(host) ? string.Empty : host;
    }

    private static bool IsAddress(string host) => IPAddress.TryParse(host, out _);
}
