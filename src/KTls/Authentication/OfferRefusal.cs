using KTls.Fallback;
using KTls.Handshake;

namespace KTls.Authentication;

/// <summary>
/// A server's refusal of our ClientHello. The alert is not authenticated: an attacker on the way can send it as well. So what follows
/// from it may cost the kernel, and nothing of what the options demand.
/// </summary>
internal sealed class OfferRefusal
{
    /// <summary>What stands in the way; null: the server has not refused.</summary>
    public Obstacle? Obstacle { get; private set; }

    /// <summary>Notes a failure, if it is the server's refusal and the first thing that it said.</summary>
    public void Note(TlsAlertException failure, ClientHandshake handshake)
    {
        if (!handshake.IsOfferAnswered
            && failure is { ReceivedFromPeer: true, Description: AlertDescription.HandshakeFailure or AlertDescription.ProtocolVersion or AlertDescription.InsufficientSecurity })
        {
            Obstacle = new Obstacle(FallbackReason.ServerRefused, $"the server refused what KTls offers with the alert {failure.Description} ({(byte)failure.Description})");
        }
    }

    /// <summary>Whether SslStream may try instead.</summary>
    public bool PermitsRetry(KTlsOptions options) =>
        options.RetryWithSslStream && Obstacle is not null && Decide(options).Choice == Choice.SslStream;

    /// <summary>Decides as for any other obstacle.</summary>
    public Decision Decide(KTlsOptions options) => Decision.Make(options.DataPlane, options.Fallback, options.IsLinux, Obstacle, kernel: null);
}
