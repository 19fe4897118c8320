using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel;

/// <summary>What UseKTls logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Connection {ConnectionId}: the handshake failed: {Reason}")]
    public static partial void Failed(ILogger logger, string connectionId, string reason, Exception? exception);

    [LoggerMessage(2, LogLevel.Debug, "Connection {ConnectionId}: the handshake took too long.")]
    public static partial void TimedOut(ILogger logger, string connectionId);

    [LoggerMessage(3, LogLevel.Debug, "Connection {ConnectionId}: {Protocol}, sending by {Sending}, receiving by {Receiving}.")]
    public static partial void Established(ILogger logger, string connectionId, SslProtocols protocol, DataPlaneKind sending, DataPlaneKind receiving);

    [LoggerMessage(4, LogLevel.Information, "KTls leaves connections of the endpoint {EndPoint} to stock HTTPS, which refuses those of ServerCredentials, because {Reason}.")]
    public static partial void StepsAside(ILogger logger, EndPoint? endPoint, string reason);

    [LoggerMessage(5, LogLevel.Warning, "KTls leaves the endpoint {EndPoint} to stock HTTPS, which refuses connections of ServerCredentials, because they do not come from the transport of KTls. Call UseKTls() on the web host builder; Unix sockets and pipes are always served so.")]
    public static partial void NotOurTransport(ILogger logger, EndPoint? endPoint);

    [LoggerMessage(6, LogLevel.Debug, "Connection {ConnectionId}: the transport sends {Length} bytes of {Path}.")]
    public static partial void SendsFile(ILogger logger, string connectionId, long length, string path);

    [LoggerMessage(7, LogLevel.Warning, "Connection {ConnectionId}: aborted, because the file {Path} cannot be sent to its end: {Reason}")]
    public static partial void FileFailed(ILogger logger, string connectionId, string path, string reason);

    [LoggerMessage(8, LogLevel.Debug, "Connection {ConnectionId}: aborted, because the client takes a file more slowly than MinResponseDataRate allows.")]
    public static partial void TooSlow(ILogger logger, string connectionId);

    [LoggerMessage(9, LogLevel.Warning, "Stock HTTPS serves the https endpoints of the configuration and of --urls, because {Reason}.")]
    public static partial void EndpointsStayStock(ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Error, "Connection {ConnectionId}: a callback of ConnectionClosed failed.")]
    public static partial void ClosedCallbackFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(11, LogLevel.Warning, "The endpoint {EndPoint} cannot accept connections and goes on to try: {Reason}")]
    public static partial void CannotAccept(ILogger logger, EndPoint endPoint, string reason);
}
