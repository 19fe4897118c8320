using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KTls.Kestrel.Transport;

/// <summary>Listens on IP endpoints. Unix sockets, pipes and file handles stay with the stock transports, which Kestrel asks next.</summary>
internal sealed class KTlsTransportFactory(IOptions<SocketTransportOptions> options, IMemoryPoolFactory<byte> pools, ILoggerFactory loggerFactory)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        SocketTransportOptions transportOptions = options.Value;
        Socket? socket = null;
        try
        {
            socket = transportOptions.CreateBoundListenSocket(endpoint);
            socket.Listen(transportOptions.Backlog);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            // Any other exception has Kestrel believe that an address family is missing, and serve localhost on the other one alone.
            socket?.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }

        return ValueTask.FromResult<IConnectionListener>(new KTlsListener(socket, transportOptions, pools.Create(), loggerFactory));
    }
}
