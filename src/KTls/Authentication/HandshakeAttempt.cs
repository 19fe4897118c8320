using System.Security.Authentication;
using KTls.Diagnostics;
using KTls.Fallback;
using Microsoft.Extensions.Logging;

namespace KTls.Authentication;

/// <summary>What every handshake needs beside its role's options.</summary>
/// <param name="Options">What KTls adds.</param>
/// <param name="Logger">The log.</param>
/// <param name="Time">How long it may take.</param>
internal readonly record struct HandshakeAttempt(KTlsOptions Options, ILogger Logger, HandshakeTime Time)
{
    /// <inheritdoc cref="HandshakeTime.Token"/>
    public CancellationToken Token => Time.Token;

    /// <summary>Decides with what is known by now.</summary>
    public Decision Decide(Obstacle? handshake, Obstacle? kernel) => Decision.Make(Options.DataPlane, Options.Fallback, Options.IsLinux, handshake, kernel);

    /// <summary>Nobody is to serve.</summary>
    /// <exception cref="AuthenticationException">So it was decided.</exception>
    public void ThrowIfRefused(Decision decision)
    {
        if (decision is { Choice: Choice.Refuse, Obstacle: { } obstacle })
        {
            throw new AuthenticationException(
                Options.DataPlane == DataPlanePolicy.RequireKernel
                    ? $"The options require kernel TLS, which cannot serve this connection: {obstacle.Text}."
                    : $"KTls cannot serve this connection, and the options forbid SslStream: {obstacle.Text}.");
        }
    }

    /// <summary>Tells that SslStream takes over.</summary>
    public void TellOfFallback(Obstacle obstacle)
    {
        if (Options.Fallback == FallbackPolicy.Warn && obstacle.Reason != FallbackReason.SwitchedOff)
        {
            Log.FallsBackUnwanted(Logger, obstacle.Reason, obstacle.Text);
        }
        else
        {
            Log.FallsBack(Logger, obstacle.Reason, obstacle.Text);
        }

        Instruments.FallsBack(obstacle.Reason);
    }
}
