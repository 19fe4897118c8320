using KTls;
using KTls.Kestrel;
using KTls.Kestrel.Files;
using KTls.Kestrel.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Kestrel on the transport of KTls.</summary>
public static class KTlsWebHostBuilderExtensions
{
    /// <summary>
    /// Has Kestrel accept TCP connections through the transport of KTls, and serve https endpoints on it: those of <c>--urls</c> and of the
    /// configuration as they are, those in code by <c>listenOptions.UseKTls()</c>.
    /// Files that an application sends (<c>Results.File</c>, static files) leave by sendfile there.
    /// Plain HTTP endpoints on it become the stock socket transport; Unix sockets and pipes are not concerned.
    /// </summary>
    /// <param name="builder">The builder, after <c>UseKestrel</c> where that is called.</param>
    /// <param name="configureKernel">What KTls adds, for endpoints that are not made in code; null for the defaults.</param>
    /// <returns>The builder.</returns>
    public static IWebHostBuilder UseKTls(this IWebHostBuilder builder, Action<KTlsOptions>? configureKernel = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services =>
        {
            services.AddSingleton<IConnectionListenerFactory, KTlsTransportFactory>();
            services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>>(
                provider => new HttpsEndpoints(configureKernel, provider.GetRequiredService<ILogger<HttpsEndpoints>>()));
            services.TryAddEnumerable(ServiceDescriptor.Transient<IStartupFilter, FileResponses>());
        });
    }
}
