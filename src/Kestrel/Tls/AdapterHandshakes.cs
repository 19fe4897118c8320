using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KTls.Kestrel.Tls;

/// <summary>What an endpoint's <see cref="HttpsConnectionAdapterOptions"/> mean for a handshake.</summary>
internal sealed class AdapterHandshakes : EndpointHandshakes
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly HttpsConnectionAdapterOptions _https;
    private readonly List<SslApplicationProtocol> _protocols;
    private readonly SslStreamCertificateContext? _context;

    public AdapterHandshakes(HttpsConnectionAdapterOptions https, HttpProtocols protocols)
    {
        _https = https;
        _protocols = ApplicationProtocols(protocols);
        if (https is { ServerCertificateSelector: null, ServerCertificate: { HasPrivateKey: true } certificate })
        {
            _context = SslStreamCertificateContext.Create(certificate, https.ServerCertificateChain);
        }
    }

    /// <inheritdoc/>
    public override string? WhyOnlyHttps => WhyOnlyHttpsCan(_https);

    /// <summary>Why only stock HTTPS can serve with these options; null when we can.</summary>
    public static string? WhyOnlyHttpsCan(HttpsConnectionAdapterOptions https) => https switch
    {
        { ClientCertificateMode: ClientCertificateMode.DelayCertificate } => "ClientCertificateMode is DelayCertificate",
        { TlsClientHelloBytesCallback: not null } => "TlsClientHelloBytesCallback is set",
        { ServerCertificateSelector: null, ServerCertificate.HasPrivateKey: false } => "the certificate has no private key, which stock HTTPS looks for in the stores",
        _ => null,
    };

    /// <inheritdoc/>
    public override Task<KTlsStream> RunAsync(ConnectionContext connection, Socket socket, KTlsOptions kernelOptions) =>
        KTlsStream.AuthenticateAsServerAsync(socket, For(connection), kernelOptions, connection.ConnectionClosed);

    private SslServerAuthenticationOptions For(ConnectionContext connection)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificate = _context is null ? null : _https.ServerCertificate,
            ServerCertificateContext = _context,
            ServerCertificateSelectionCallback = _https.ServerCertificateSelector is { } select && !CredentialsAlone.IsStandIn(select) ? (_, name) => ForServers(select(connection, name))! : null,
            ClientCertificateRequired = _https.ClientCertificateMode is ClientCertificateMode.AllowCertificate or ClientCertificateMode.RequireCertificate,
            RemoteCertificateValidationCallback = _https.ClientCertificateMode == ClientCertificateMode.NoCertificate ? null : Judge,
            EnabledSslProtocols = _https.SslProtocols,
            CertificateRevocationCheckMode = _https.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
            ApplicationProtocols = [.. _protocols],
        };
        _https.OnAuthenticate?.Invoke(connection, options);
        return options;
    }

    // Kestrel looks at a certificate that is set when it is set, and refuses a selected one like this, too.
    private static X509Certificate2? ForServers(X509Certificate2? selected) =>
        selected is null || selected.Extensions.OfType<X509EnhancedKeyUsageExtension>().All(usages => usages.EnhancedKeyUsages.Cast<Oid>().Any(usage => usage.Value == ServerAuthentication))
            ? selected
            : throw new InvalidOperationException($"The selected certificate {selected.Thumbprint} is not for servers: its extended key usages lack serverAuth ({ServerAuthentication}).");

    private bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return _https.ClientCertificateMode != ClientCertificateMode.RequireCertificate;
        }

        return _https.ClientCertificateValidation is { } validate
            ? validate((X509Certificate2)certificate, chain, errors)
            : errors == SslPolicyErrors.None;
    }
}
