using KTls.Kestrel.Files;
using KTls.Kestrel.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Kestrel on the transport of KTls.</summary>
public static class KTlsWebHostBuilderExtensions
{
    /// <summary>
    /// Has Kestrel accept TCP connections through the transport of KTls, which endpoints with <c>listenOptions.UseKTls()</c> need.
    /// Files that an application sends (<c>Results.File</c>, static files) leave by sendfile there.
    /// Plain HTTP endpoints on it become the stock socket transport; Unix sockets and pipes are not concerned.
    /// </summary>
    /// <param name="builder">The builder, after <c>UseKestrel</c> where that is called.</param>
    /// <returns>The builder.</returns>
    public static IWebHostBuilder UseKTls(this IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(static services =>
        {
            services.AddSingleton<IConnectionListenerFactory, KTlsTransportFactory>();
            services.TryAddEnumerable(ServiceDescriptor.Transient<IStartupFilter, FileResponses>());
        });
    }
}
