using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>What the server logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information,
        "{Remote} {Protocol} {CipherSuite} {Group} ALPN={Alpn} SNI={ServerName} send={Sending} receive={Receiving} "
        + "requests={Requests} bytes={Bytes} ms={Milliseconds:0.0} end: {Ending}")]
    public static partial void ConnectionEnded(
        ILogger logger, EndPoint? remote, SslProtocols protocol, TlsCipherSuite cipherSuite, string group, string alpn, string serverName,
        DataPlaneStatus sending, DataPlaneStatus receiving,
        int requests, long bytes, double milliseconds, string ending);

    [LoggerMessage(2, LogLevel.Information, "{Remote} handshake failed after {Milliseconds:0.0} ms: {Reason}")]
    public static partial void HandshakeFailed(ILogger logger, EndPoint? remote, string reason, double milliseconds);

    [LoggerMessage(3, LogLevel.Warning, "A connection could not be accepted, the next try follows: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Count} connections, as many as --max-connections allows: the next ones wait")]
    public static partial void Full(ILogger logger, int count);

    [LoggerMessage(5, LogLevel.Error, "{Remote} unexpected error")]
    public static partial void Unexpected(ILogger logger, Exception exception, EndPoint? remote);

    [LoggerMessage(6, LogLevel.Information, "Stopping; open connections: {Count}")]
    public static partial void Stops(ILogger logger, int count);

    [LoggerMessage(7, LogLevel.Information, "The limit of open files (ulimit -n) has room for {Count} connections, not for {Wanted}")]
    public static partial void FewDescriptors(ILogger logger, int count, int wanted);
}
