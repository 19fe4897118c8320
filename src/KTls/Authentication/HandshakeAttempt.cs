using KTls.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KTls.Authentication;

/// <summary>What every handshake needs beside its role's options.</summary>
/// <param name="Options">What KTls adds.</param>
/// <param name="Logger">The log.</param>
/// <param name="Token">Cancelled by the caller or when time is up.</param>
internal readonly record struct HandshakeAttempt(KTlsOptions Options, ILogger Logger, CancellationToken Token)
{
    /// <summary>Why SslStream serves although nothing was tried.</summary>
    public FallbackReason WhyOnlySslStream => Options.WhyOnlySslStream is null ? FallbackReason.Options : FallbackReason.SwitchedOff;
}
