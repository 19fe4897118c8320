using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KTls.Kestrel.Tls;

/// <summary>The handshakes of an endpoint, under what its options say.</summary>
internal abstract class EndpointHandshakes
{
    /// <summary>Why only stock HTTPS can serve with these options; null when we can.</summary>
    public abstract string? WhyOnlyHttps { get; }

    /// <summary>Does a handshake.</summary>
    public abstract Task<KTlsStream> RunAsync(ConnectionContext connection, Socket socket, KTlsOptions kernelOptions);

    /// <summary>What ALPN offers, the best first.</summary>
    protected static List<SslApplicationProtocol> ApplicationProtocols(HttpProtocols protocols)
    {
        List<SslApplicationProtocol> names = [];
        if (protocols.HasFlag(HttpProtocols.Http2))
        {
            names.Add(SslApplicationProtocol.Http2);
        }

        if (protocols.HasFlag(HttpProtocols.Http1))
        {
            names.Add(SslApplicationProtocol.Http11);
        }

        return names;
    }
}
