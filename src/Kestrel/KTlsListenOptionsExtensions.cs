using System.Security.Cryptography.X509Certificates;
using KTls;
using KTls.Handshake;
using KTls.Kestrel;
using KTls.Kestrel.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>HTTPS endpoints on kernel TLS.</summary>
public static class KTlsListenOptionsExtensions
{
    /// <summary>Serves HTTPS with the default certificate, as <c>UseHttps()</c> finds it.</summary>
    /// <inheritdoc cref="UseKTls(ListenOptions, Action{HttpsConnectionAdapterOptions}, Action{KTlsOptions}?)"/>
    public static ListenOptions UseKTls(this ListenOptions listenOptions) => listenOptions.UseKTls(static _ => { });

    /// <summary>Serves HTTPS with a certificate.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverCertificate">The certificate with its private key.</param>
    /// <param name="configureHttps">Sets what else belongs to HTTPS.</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, X509Certificate2 serverCertificate, Action<HttpsConnectionAdapterOptions>? configureHttps = null, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(serverCertificate);
        void Configure(HttpsConnectionAdapterOptions https)
        {
            https.ServerCertificate = serverCertificate;
            configureHttps?.Invoke(https);
        }

        return listenOptions.UseKTls(Configure, configureKernel);
    }

    /// <summary>Serves HTTPS with the certificates that KTls chooses from: by name and by what the client can verify, with stapled OCSP responses.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="serverCredentials">The certificates with their keys, such as <see cref="ServerCredentialFiles.Credentials"/>.</param>
    /// <param name="configureHttps">Sets what else belongs to HTTPS; no certificate.</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <remarks>
    /// Stock HTTPS does not know these certificates, so it cannot serve what KTls cannot: the server does not start with options that only
    /// stock HTTPS can honour, or with a certificate from elsewhere, and connections that do not come from the transport of KTls are refused.
    /// </remarks>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, ServerCredentials serverCredentials, Action<HttpsConnectionAdapterOptions>? configureHttps = null, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(serverCredentials);
        void Configure(KTlsOptions kernel)
        {
            kernel.ServerCredentials = serverCredentials;
            configureKernel?.Invoke(kernel);
        }

        return listenOptions.UseKTls(configureHttps ?? (static _ => { }), Configure);
    }

    /// <summary>Serves HTTPS with a certificate from a store of the system.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="storeName">The store.</param>
    /// <param name="subject">A part of the certificate's subject name.</param>
    /// <param name="allowInvalid">Whether a certificate serves that cannot be verified, as one of your own making.</param>
    /// <param name="location">Whose store it is.</param>
    /// <param name="configureHttps">Sets what else belongs to HTTPS.</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="InvalidOperationException">The store has no such certificate for servers.</exception>
    public static ListenOptions UseKTls(
        this ListenOptions listenOptions, StoreName storeName, string subject, bool allowInvalid = false, StoreLocation location = StoreLocation.CurrentUser,
        Action<HttpsConnectionAdapterOptions>? configureHttps = null, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return listenOptions.UseKTls(CertificateLoader.LoadFromStoreCert(subject, storeName.ToString(), location, allowInvalid), configureHttps, configureKernel);
    }

    /// <summary>Serves HTTPS with a certificate from a PKCS#12 file.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="fileName">The file; a relative path begins at the application's content root.</param>
    /// <param name="password">Its password; null: none.</param>
    /// <param name="configureHttps">Sets what else belongs to HTTPS.</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The file is not readable.</exception>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, string fileName, string? password = null, Action<HttpsConnectionAdapterOptions>? configureHttps = null, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        string root = listenOptions.ApplicationServices.GetRequiredService<Extensions.Hosting.IHostEnvironment>().ContentRootPath;
        return listenOptions.UseKTls(X509CertificateLoader.LoadPkcs12FromFile(Path.Combine(root, fileName), password), configureHttps, configureKernel);
    }

    /// <summary>Serves HTTPS. The options mean what they mean for <c>UseHttps</c>, and the defaults for HTTPS hold.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="configureHttps">Sets the certificate and what else belongs to HTTPS.</param>
    /// <param name="configureKernel">What KTls adds. The handshake's timeout is that of HTTPS, and the stream's socket is Kestrel's.</param>
    /// <returns>The endpoint.</returns>
    /// <remarks>
    /// Connections that do not come from the transport of KTls (Unix sockets; no UseKTls on the web host builder) and options that
    /// only <see cref="System.Net.Security.SslStream"/> can honour over pipes are served by stock HTTPS, which the log tells.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There is no certificate.</exception>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, Action<HttpsConnectionAdapterOptions> configureHttps, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(configureHttps);
        HttpsConnectionAdapterOptions? https = null;
        KTlsOptions? kernelOptions = null;
        KTlsEndpoint.Mark(listenOptions);
        listenOptions.Use(next => KTlsEndpoint.Create(next, listenOptions, https!, kernelOptions!));

        // Stock HTTPS comes next: it makes the endpoint an https one, completes the options, and serves what we leave to it.
        return listenOptions.UseHttps(options =>
        {
            https = options;
            configureHttps(options);
            kernelOptions = KTlsEndpoint.OptionsOf(listenOptions, configureKernel);
            CredentialsAlone.CompleteForStock(options, kernelOptions);
        });
    }

    /// <summary>Serves HTTPS with options that are complete: no defaults are added.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="httpsOptions">The options, such as those of an endpoint in the configuration (<c>EndpointConfiguration.HttpsOptions</c>).</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="ArgumentException">There is no certificate.</exception>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, HttpsConnectionAdapterOptions httpsOptions, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(httpsOptions);
        KTlsOptions kernelOptions = KTlsEndpoint.OptionsOf(listenOptions, configureKernel);
        CredentialsAlone.CompleteForStock(httpsOptions, kernelOptions);
        KTlsEndpoint.Mark(listenOptions);
        listenOptions.Use(next => KTlsEndpoint.Create(next, listenOptions, httpsOptions, kernelOptions));
        return listenOptions.UseHttps(httpsOptions);
    }

    /// <summary>Serves HTTPS with options that a callback chooses for each client by its ClientHello.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="callbackOptions">
    /// The callback, as for <c>UseHttps</c>, with two differences: the SslStream that it is given leads nowhere, and a callback that sets
    /// <see cref="TlsHandshakeCallbackContext.AllowDelayedClientCertificateNegotation"/> fails the handshake with a <see cref="NotSupportedException"/>.
    /// </param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="ArgumentException">There is no callback.</exception>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, TlsHandshakeCallbackOptions callbackOptions, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(callbackOptions);
        if (callbackOptions.OnConnection is null)
        {
            throw new ArgumentException("OnConnection is not set.", nameof(callbackOptions));
        }

        KTlsEndpoint.Mark(listenOptions);
        listenOptions.Use(next => KTlsEndpoint.Create(next, listenOptions, callbackOptions, KTlsEndpoint.OptionsOf(listenOptions, configureKernel)));
        return listenOptions.UseHttps(callbackOptions);
    }
}
