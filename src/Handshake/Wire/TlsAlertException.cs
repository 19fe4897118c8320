namespace KTls.Handshake;

/// <summary>A TLS failure that an alert names: one that we tell the peer, or one that the peer told us.</summary>
public sealed class TlsAlertException : Exception
{
    /// <summary>Creates the exception for a failure that this end found.</summary>
    /// <param name="description">The alert for the peer.</param>
    /// <param name="message">What happened; never contains secrets.</param>
    public TlsAlertException(AlertDescription description, string message)
        : this(description, message, receivedFromPeer: false, innerException: null)
    {
    }

    /// <summary>Creates the exception for a failure that this end found, with its cause.</summary>
    /// <param name="description">The alert for the peer.</param>
    /// <param name="message">What happened; never contains secrets.</param>
    /// <param name="innerException">The cause.</param>
    public TlsAlertException(AlertDescription description, string message, Exception? innerException)
        : this(description, message, receivedFromPeer: false, innerException)
    {
    }

    private TlsAlertException(AlertDescription description, string message, bool receivedFromPeer, Exception? innerException)
        : base(message, innerException)
    {
        Description = description;
        ReceivedFromPeer = receivedFromPeer;
    }

    /// <summary>The alert's description.</summary>
    public AlertDescription Description { get; }

    /// <summary>Whether the peer sent the alert; no alert answers it (RFC 8446 §6.2).</summary>
    public bool ReceivedFromPeer { get; }

    /// <summary>Creates the exception for an alert that the peer sent.</summary>
    /// <param name="description">What the alert says.</param>
    /// <returns>The exception.</returns>
    public static TlsAlertException FromPeer(AlertDescription description) =>
        new(description, $"The peer ended the connection with the alert {description} ({(byte)description}).", receivedFromPeer: true, innerException: null);
}
