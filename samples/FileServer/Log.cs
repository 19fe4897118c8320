using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>What the server logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Remote} {Protocol} {CipherSuite} {Group} sni={ServerName} alpn={Alpn} send={Sending} receive={Receiving}: {Requests} requests, {Bytes} bytes, {Milliseconds} ms, {End}")]
    public static partial void Connection(ILogger logger, EndPoint? remote, SslProtocols protocol, TlsCipherSuite cipherSuite, string group, string serverName, string alpn, DataPlaneKind sending, DataPlaneKind receiving, long requests, long bytes, long milliseconds, string end);

    [LoggerMessage(2, LogLevel.Information, "{Remote} no handshake: {Reason}")]
    public static partial void NoHandshake(ILogger logger, EndPoint? remote, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Cannot accept connections for now: {Reason}")]
    public static partial void CannotAccept(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Error, "{Remote} unexpected error")]
    public static partial void Unexpected(ILogger logger, EndPoint? remote, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "Stopping: {Count} connections may finish their requests")]
    public static partial void Stopping(ILogger logger, int count);

    [LoggerMessage(6, LogLevel.Information, "The data plane of this connection: {Reason}")]
    public static partial void DataPlaneReason(ILogger logger, string reason);
}
