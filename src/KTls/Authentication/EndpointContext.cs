using System.Net;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Authentication;

/// <summary>
/// What binds an authentication inside the connection to the connection: the server's certificate (tls-server-end-point, RFC 5929 §4).
/// There is no tls-unique of ours: TLS 1.3 has none (RFC 8446 §C.5).
/// </summary>
/// <param name="serverCertificate">The server's certificate, on both ends.</param>
/// <param name="others">Has the other kinds. SslStream's does not have this one on a server.</param>
internal sealed class EndpointContext(X509Certificate2? serverCertificate, TransportContext? others) : TransportContext
{
    public override ChannelBinding? GetChannelBinding(ChannelBindingKind kind)
    {
        if (kind != ChannelBindingKind.Endpoint)
        {
            return others?.GetChannelBinding(kind);
        }

        return serverCertificate is not null && EndpointBinding.HashOf(serverCertificate) is { } hash ? new EndpointBinding(hash) : null;
    }
}
