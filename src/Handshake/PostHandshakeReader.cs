using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>A handshake message that came after the handshake.</summary>
public enum PostHandshakeMessage
{
    /// <summary>A session ticket (RFC 8446 §4.6.1).</summary>
    NewSessionTicket,

    /// <summary>The peer's next record is sealed with its next keys (RFC 8446 §4.6.3).</summary>
    KeyUpdate,

    /// <summary>As <see cref="KeyUpdate"/>, and the peer asks for an update of our keys.</summary>
    KeyUpdateRequested,
}

/// <summary>Reads the handshake messages that come after the handshake, from the content of handshake records.</summary>
public sealed class PostHandshakeReader : IDisposable
{
    // nonce and extensions are small, a ticket is at most 2^16 - 1 bytes: one that large helps nobody.
    private const int MaxMessageSize = 32 * 1024;

    private readonly HandshakeMessageBuffer _messages = new(MaxMessageSize);
    private readonly bool _isServer;

    internal PostHandshakeReader(bool isServer) => _isServer = isServer;

    /// <summary>Whether a message has begun and not ended: no other record may come then (RFC 8446 §5.1).</summary>
    public bool IsInsideMessage => !_messages.IsEmpty;

    /// <summary>Takes the content of a handshake record.</summary>
    /// <param name="content">The content, not empty.</param>
    /// <exception cref="TlsAlertException">The record is empty.</exception>
    public void Append(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "An empty handshake record (RFC 8446 §5.1).");
        }

        _messages.Append(content);
    }

    /// <summary>Reads the next whole message.</summary>
    /// <param name="message">What it is.</param>
    /// <returns>False when there is none.</returns>
    /// <exception cref="TlsAlertException">The message is malformed or out of place.</exception>
    public bool TryRead(out PostHandshakeMessage message)
    {
        message = default;
        if (!_messages.TryRead(out HandshakeType type, out ReadOnlySpan<byte> bytes))
        {
            return false;
        }

        switch (type)
        {
            case HandshakeType.KeyUpdate:
                message = KeyUpdate.ReadUpdateRequested(bytes) ? PostHandshakeMessage.KeyUpdateRequested : PostHandshakeMessage.KeyUpdate;
                if (!_messages.IsEmpty)
                {
                    throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A KeyUpdate is not the end of its record (RFC 8446 §5.1).");
                }

                return true;
            case HandshakeType.NewSessionTicket when !_isServer:
                NewSessionTicket.Check(bytes);
                message = PostHandshakeMessage.NewSessionTicket;
                return true;
            default:
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The message {type} is out of place after the handshake.");
        }
    }

    /// <summary>A KeyUpdate message to send.</summary>
    /// <param name="requestUpdate">Whether the peer shall update its keys, too.</param>
    /// <returns>The message: the content of one handshake record.</returns>
    public static byte[] CreateKeyUpdate(bool requestUpdate) => KeyUpdate.Create(requestUpdate);

    /// <inheritdoc/>
    public void Dispose() => _messages.Dispose();
}
