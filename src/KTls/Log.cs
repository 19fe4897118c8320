using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace KTls;

/// <summary>What the library logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Handshake complete: {Protocol} {CipherSuite}; sending: {Sending}; receiving: {Receiving}")]
    public static partial void HandshakeComplete(ILogger logger, System.Security.Authentication.SslProtocols protocol, TlsCipherSuite cipherSuite, DataPlaneStatus sending, DataPlaneStatus receiving);

    [LoggerMessage(2, LogLevel.Information, "SslStream takes the connection over ({Fallback}): {Reason}")]
    public static partial void FallsBack(ILogger logger, FallbackReason fallback, string reason);

    [LoggerMessage(3, LogLevel.Debug, "Handshake failed: {Reason}")]
    public static partial void HandshakeFailed(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Warning, "The kernel refuses the keys for {Direction}; user space goes on: {Reason}")]
    public static partial void KernelRefusesKeys(ILogger logger, KernelDirections direction, string reason);

    [LoggerMessage(5, LogLevel.Debug, "The kernel opens records from number {Sequence} on")]
    public static partial void ReceiveHandedOver(ILogger logger, ulong sequence);

    [LoggerMessage(6, LogLevel.Debug, "The peer has updated its keys (update requested: {UpdateRequested})")]
    public static partial void KeyUpdateReceived(ILogger logger, bool updateRequested);

    [LoggerMessage(7, LogLevel.Debug, "Own keys updated (update requested: {UpdateRequested})")]
    public static partial void KeyUpdateSent(ILogger logger, bool updateRequested);

    [LoggerMessage(8, LogLevel.Debug, "User space receives: {Reason}")]
    public static partial void NoRekey(ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Warning, "The peer asks for new keys, which the kernel cannot change; the old ones serve on")]
    public static partial void KeysStay(ILogger logger);

    [LoggerMessage(10, LogLevel.Warning, "No more data is sent: {Reason}")]
    public static partial void EndsWithoutKeyUpdate(ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Warning, "SslStream takes the connection over ({Fallback}): {Reason}")]
    public static partial void FallsBackUnwanted(ILogger logger, FallbackReason fallback, string reason);

    [LoggerMessage(12, LogLevel.Warning, "The session store has failed; the connection goes its way without it")]
    public static partial void SessionStoreFailed(ILogger logger, Exception exception);

    [LoggerMessage(20, LogLevel.Information, "{Certificate}: the changed certificate is in use")]
    public static partial void CredentialReloaded(ILogger logger, string certificate);

    [LoggerMessage(21, LogLevel.Error, "A changed certificate cannot be used, the one before stays in use: {Reason}")]
    public static partial void CredentialNotReloaded(ILogger logger, string reason);
}
