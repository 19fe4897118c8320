using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using KTls.Kestrel.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KTls.Kestrel;

/// <summary>Our part of an https endpoint, which comes right before stock HTTPS.</summary>
internal static class KTlsEndpoint
{
    private static readonly ConditionalWeakTable<ListenOptions, object> Marked = [];

    /// <summary>Says that an endpoint has called UseKTls itself.</summary>
    public static void Mark(ListenOptions listenOptions) => Marked.AddOrUpdate(listenOptions, listenOptions);

    public static bool IsMarked(ListenOptions listenOptions) => Marked.TryGetValue(listenOptions, out _);

    /// <summary>What KTls adds, as an application sets it for an endpoint.</summary>
    public static KTlsOptions OptionsOf(ListenOptions listenOptions, Action<KTlsOptions>? configureKernel)
    {
        var kernelOptions = new KTlsOptions { LoggerFactory = listenOptions.ApplicationServices.GetRequiredService<ILoggerFactory>() };
        configureKernel?.Invoke(kernelOptions);
        return kernelOptions;
    }

    /// <summary>To be called when the server starts: only then are the options and <see cref="ListenOptions.Protocols"/> final.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="KTlsOptions.ServerCredentials"/> with what does not go with them.</exception>
    public static ConnectionDelegate Create(ConnectionDelegate next, ListenOptions listenOptions, HttpsConnectionAdapterOptions https, KTlsOptions kernelOptions)
    {
        if (kernelOptions.ServerCredentials is not null)
        {
            CredentialsAlone.Check(https, listenOptions.Protocols);
        }
        else if (CredentialsAlone.IsStandIn(https.ServerCertificateSelector))
        {
            throw new InvalidOperationException("These HTTPS options were completed for an endpoint with KTlsOptions.ServerCredentials, and have no certificate for this one: each endpoint needs options of its own.");
        }

        return Create(next, listenOptions, new AdapterHandshakes(https, listenOptions.Protocols), https.HandshakeTimeout, kernelOptions);
    }

    /// <summary>To be called when the server starts: only then are the options and <see cref="ListenOptions.Protocols"/> final.</summary>
    public static ConnectionDelegate Create(ConnectionDelegate next, ListenOptions listenOptions, TlsHandshakeCallbackOptions callback, KTlsOptions kernelOptions) =>
        Create(next, listenOptions, new CallbackHandshakes(callback, listenOptions.Protocols), callback.HandshakeTimeout, kernelOptions);

    private static ConnectionDelegate Create(ConnectionDelegate next, ListenOptions listenOptions, EndpointHandshakes handshakes, TimeSpan timeout, KTlsOptions kernelOptions)
    {
        IServiceProvider services = listenOptions.ApplicationServices;
        SocketTransportOptions transport = services.GetRequiredService<IOptions<SocketTransportOptions>>().Value;
        kernelOptions.HandshakeTimeout = timeout > TimeSpan.FromDays(24) ? Timeout.InfiniteTimeSpan : timeout;
        kernelOptions.LeaveSocketOpen = true;
        return new KTlsConnectionMiddleware(
            next,
            handshakes,
            kernelOptions,
            new BufferLimits(transport.MaxReadBufferSize ?? 0, transport.MaxWriteBufferSize ?? 0),
            new HandshakeMetrics(services.GetRequiredService<IMeterFactory>()),
            services.GetRequiredService<ILogger<KTlsConnectionMiddleware>>()).OnConnectionAsync;
    }
}
