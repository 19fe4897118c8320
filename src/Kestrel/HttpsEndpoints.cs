using System.Runtime.CompilerServices;
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
/// Kestrel calls the defaults for endpoints and, for those with https, the defaults for HTTPS right after. Both can be set in public, but
/// what an application has set cannot be read, so it is read in private: where that fails, in some later version of ASP.NET Core, these
/// endpoints stay with stock HTTPS, and the log tells.
/// </remarks>
internal sealed class HttpsEndpoints(Action<KTlsOptions>? configureKernel, ILogger<HttpsEndpoints> logger) : IPostConfigureOptions<KestrelServerOptions>
{
    // Endpoints that the application makes itself are complete by now: they do not come here.
    public void PostConfigure(string? name, KestrelServerOptions options)
    {
        Action<ListenOptions> endpointDefaults;
        Action<HttpsConnectionAdapterOptions> httpsDefaults;
        try
        {
            endpointDefaults = EndpointDefaults(options);
            httpsDefaults = HttpsDefaults(options);
        }
        catch (MissingMethodException e)
        {
            Log.EndpointsStayStock(logger, e.Message);
            return;
        }

        Endpoint? latest = null;
        options.ConfigureEndpointDefaults(listenOptions =>
        {
            latest = null;
            endpointDefaults(listenOptions);
            var endpoint = new Endpoint();
            latest = endpoint;
            listenOptions.Use(next => endpoint.Https is { } https && !KTlsEndpoint.IsMarked(listenOptions) && !HasNames(options)
                ? KTlsEndpoint.Create(next, listenOptions, https, configureKernel)
                : next);
        });
        options.ConfigureHttpsDefaults(https =>
        {
            httpsDefaults(https);
            if (latest is not null)
            {
                latest.Https = https;
            }
        });
    }

    // Certificates by name have options for each name, which Kestrel shows nobody.
    private bool HasNames(KestrelServerOptions options)
    {
        bool hasNames = options.ConfigurationLoader?.Configuration.GetSection("Endpoints").GetChildren()
            .Any(endpoint => endpoint.GetSection("Sni").GetChildren().Any()) ?? false;
        if (hasNames)
        {
            Log.EndpointsStayStock(logger, "the configuration has certificates by name (Sni)");
        }

        return hasNames;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EndpointDefaults")]
    private static extern Action<ListenOptions> EndpointDefaults(KestrelServerOptions options);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsDefaults")]
    private static extern Action<HttpsConnectionAdapterOptions> HttpsDefaults(KestrelServerOptions options);

    private sealed class Endpoint
    {
        /// <summary>Null: an endpoint without https.</summary>
        public HttpsConnectionAdapterOptions? Https { get; set; }
    }
}
