using System.Security.Cryptography.X509Certificates;
using KTls;
using KTls.Kestrel;
using KTls.Kestrel.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

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
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, X509Certificate2 serverCertificate, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(serverCertificate);
        return listenOptions.UseKTls(https => https.ServerCertificate = serverCertificate, configureKernel);
    }

    /// <summary>Serves HTTPS with a certificate from a PKCS#12 file.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="fileName">The file; a relative path begins at the application's content root.</param>
    /// <param name="password">Its password; null: none.</param>
    /// <param name="configureKernel">What KTls adds.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The file is not readable.</exception>
    public static ListenOptions UseKTls(this ListenOptions listenOptions, string fileName, string? password, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        string root = listenOptions.ApplicationServices.GetRequiredService<Extensions.Hosting.IHostEnvironment>().ContentRootPath;
        return listenOptions.UseKTls(X509CertificateLoader.LoadPkcs12FromFile(Path.Combine(root, fileName), password), configureKernel);
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
        IServiceProvider services = listenOptions.ApplicationServices;
        SocketTransportOptions transport = services.GetRequiredService<IOptions<SocketTransportOptions>>().Value;
        ILoggerFactory loggerFactory = services.GetRequiredService<ILoggerFactory>();
        HttpsConnectionAdapterOptions? https = null;
        listenOptions.Use(next =>
        {
            // Only now, when the server starts, are the options and listenOptions.Protocols final.
            var kernelOptions = new KTlsOptions { LoggerFactory = loggerFactory };
            configureKernel?.Invoke(kernelOptions);
            kernelOptions.HandshakeTimeout = https!.HandshakeTimeout > TimeSpan.FromDays(24) ? Timeout.InfiniteTimeSpan : https.HandshakeTimeout;
            kernelOptions.LeaveSocketOpen = true;
            return new KTlsConnectionMiddleware(
                next,
                new AuthenticationOptions(https, listenOptions.Protocols),
                kernelOptions,
                new BufferLimits(transport.MaxReadBufferSize ?? 0, transport.MaxWriteBufferSize ?? 0),
                loggerFactory.CreateLogger<KTlsConnectionMiddleware>()).OnConnectionAsync;
        });

        // Stock HTTPS comes next: it makes the endpoint an https one, completes the options, and serves what we leave to it.
        return listenOptions.UseHttps(options =>
        {
            https = options;
            configureHttps(options);
        });
    }
}
