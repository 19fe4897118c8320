using System.Runtime.CompilerServices;
using KTls.Kestrel.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KTls.Kestrel;

/// <summary>
/// Serves the https endpoints that Kestrel makes by itself: those of <c>--urls</c> and of the configuration. Kestrel adds stock HTTPS
/// to them, with options that it makes of its defaults and the configuration; ours comes before it with the same options.
/// </summary>
/// <remarks>
/// Kestrel applies the defaults for endpoints first and adds stock HTTPS later. What an application has set as defaults cannot be read in
/// public, nor can the options that Kestrel serves with, so both are read in private: where that fails, in some later version of ASP.NET
/// Core, these endpoints stay with stock HTTPS, and the log tells.
/// </remarks>
internal sealed class HttpsEndpoints(Action<KTlsOptions>? configureKernel, ILogger<HttpsEndpoints> logger) : IPostConfigureOptions<KestrelServerOptions>
{
    // Endpoints that the application makes itself are complete by now: they do not come here.
    public void PostConfigure(string? name, KestrelServerOptions options)
    {
        Action<ListenOptions> endpointDefaults;
        try
        {
            // All that is read later is tried here: where one is missing, all stays stock.
            endpointDefaults = EndpointDefaults(options);
            _ = HttpsDefaults(options);
            foreach (ListenOptions loaded in ConfigurationEndpoints(options).Where(HasStockHttps))
            {
                // An endpoint with https in code has Kestrel load the configuration at once. Stock HTTPS came last.
                List<Func<ConnectionDelegate, ConnectionDelegate>> middleware = Middleware(loaded);
                middleware.Insert(middleware.Count - 1, next => Create(next, loaded, options));
            }
        }
        catch (MissingMemberException e)
        {
            Log.EndpointsStayStock(logger, e.Message);
            return;
        }

        options.ConfigureEndpointDefaults(listenOptions =>
        {
            endpointDefaults(listenOptions);
            Add(listenOptions, options);
        });
    }

    private void Add(ListenOptions listenOptions, KestrelServerOptions options)
    {
        try
        {
            if (HasStockHttps(listenOptions))
            {
                // The application's defaults use stock HTTPS.
                return;
            }
        }
        catch (MissingMemberException e)
        {
            Log.EndpointsStayStock(logger, e.Message);
            return;
        }

        listenOptions.Use(next => Create(next, listenOptions, options));
    }

    private static bool HasStockHttps(ListenOptions listenOptions) => HttpsOptions(listenOptions) is not null || HttpsCallbackOptions(listenOptions) is not null;

    // The server starts: everything is set.
    private ConnectionDelegate Create(ConnectionDelegate next, ListenOptions listenOptions, KestrelServerOptions options)
    {
        if (KTlsEndpoint.IsMarked(listenOptions))
        {
            return next;
        }

        if (HttpsOptions(listenOptions) is { } https)
        {
            return KTlsEndpoint.Create(next, listenOptions, https, KTlsEndpoint.OptionsOf(listenOptions, configureKernel));
        }

        // Certificates by name (Sni in the configuration) come as a callback.
        if (HttpsCallbackOptions(listenOptions) is not { } callback || !IsOfKestrel(callback) || MayAskLater(options))
        {
            return next;
        }

        KTlsOptions kernelOptions = KTlsEndpoint.OptionsOf(listenOptions, configureKernel);
        return kernelOptions.ServerCredentials is null ? KTlsEndpoint.Create(next, listenOptions, callback, kernelOptions) : throw CredentialsAlone.TwoSources();
    }

    // A callback of the application may ask for what SslStream alone can do, which shows when it is called. That of Kestrel has a class of its
    // own as its state, which no application can name.
    private static bool IsOfKestrel(TlsHandshakeCallbackOptions callback) =>
        callback.OnConnectionState?.GetType() is { IsNotPublic: true } type && type.Assembly == typeof(KestrelServerOptions).Assembly;

    // Whether a name may want client certificates after the handshake is known to the callback alone, when the ClientHello is read.
    private bool MayAskLater(KestrelServerOptions options)
    {
        var defaults = new HttpsConnectionAdapterOptions();
        HttpsDefaults(options)(defaults);
        bool mayAskLater = defaults.ClientCertificateMode == ClientCertificateMode.DelayCertificate
            || (options.ConfigurationLoader?.Configuration.AsEnumerable() ?? []).Any(setting =>
                setting.Key.EndsWith(":ClientCertificateMode", StringComparison.OrdinalIgnoreCase)
                && string.Equals(setting.Value, nameof(ClientCertificateMode.DelayCertificate), StringComparison.OrdinalIgnoreCase));
        if (mayAskLater)
        {
            Log.EndpointsStayStock(logger, "they have certificates by name (Sni), and ClientCertificateMode is DelayCertificate");
        }

        return mayAskLater;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EndpointDefaults")]
    private static extern Action<ListenOptions> EndpointDefaults(KestrelServerOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsDefaults")]
    private static extern Action<HttpsConnectionAdapterOptions> HttpsDefaults(KestrelServerOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_ConfigurationBackedListenOptions")]
    private static extern List<ListenOptions> ConfigurationEndpoints(KestrelServerOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_middleware")]
    private static extern ref List<Func<ConnectionDelegate, ConnectionDelegate>> Middleware(ListenOptions listenOptions);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsOptions")]
    private static extern HttpsConnectionAdapterOptions? HttpsOptions(ListenOptions listenOptions);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsCallbackOptions")]
    private static extern TlsHandshakeCallbackOptions? HttpsCallbackOptions(ListenOptions listenOptions);
}
