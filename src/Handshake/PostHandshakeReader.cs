using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>A handshake message that came after the handshake.</summary>
[Experimental(Maturity.Experimental)]
public enum PostHandshakeMessage
{
    /// <summary>A session ticket (RFC 8446 §4.6.1).</summary>
    NewSessionTicket,

    /// <summary>The peer's next record is sealed with its next keys (RFC 8446 §4.6.3).</summary>
    KeyUpdate,

    /// <summary>As <see cref="KeyUpdate"/>, and the peer asks for an update of our keys.</summary>
    KeyUpdateRequested,

    /// <summary>
    /// The peer wants to renegotiate (TLS 1.2: HelloRequest or ClientHello); the answer is the warning no_renegotiation
    /// (RFC 5246 §7.2.2).
    /// </summary>
    Renegotiation,
}

/// <summary>Reads the handshake messages that come after the handshake, from the content of handshake records.</summary>
[Experimental(Maturity.Experimental)]
public sealed class PostHandshakeReader : IDisposable
{
    // nonce and extensions are small, a ticket is at most 2^16 - 1 bytes: one that large helps nobody.
    private const int MaxMessageSize = 32 * 1024;

    private readonly HandshakeMessageBuffer _messages = new(MaxMessageSize);
    private readonly TlsSession _session;

    internal PostHandshakeReader(TlsSession session) => _session = session;

    /// <summary>
    /// The session of the last <see cref="PostHandshakeMessage.NewSessionTicket"/>, which whoever takes it disposes; null when
    /// this client keeps no sessions, or the server gave a ticket to throw away.
    /// </summary>
    public ClientSession? Ticket { get; private set; }

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
        Ticket = null;
        if (!_messages.TryRead(out HandshakeType type, out ReadOnlySpan<byte> bytes))
        {
            _messages.ReturnBufferIfEmpty();
            return false;
        }

        message = _session.Suite.IsTls13 ? Read13(type, bytes) : Read12(type, bytes);
        return true;
    }

    /// <summary>A KeyUpdate message to send.</summary>
    /// <param name="requestUpdate">Whether the peer shall update its keys, too.</param>
    /// <returns>The message: the content of one handshake record.</returns>
    public static byte[] CreateKeyUpdate(bool requestUpdate) => KeyUpdate.Create(requestUpdate);

    /// <inheritdoc/>
    public void Dispose() => _messages.Dispose();

    private PostHandshakeMessage Read13(HandshakeType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case HandshakeType.KeyUpdate:
                bool isRequested = KeyUpdate.ReadUpdateRequested(bytes);
                return _messages.IsEmpty
                    ? isRequested ? PostHandshakeMessage.KeyUpdateRequested : PostHandshakeMessage.KeyUpdate
                    : throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A KeyUpdate is not the end of its record (RFC 8446 §5.1).");
            case HandshakeType.NewSessionTicket when !_session.IsServer:
                Ticket = _session.CreateSession(NewSessionTicket.Read(bytes));
                return PostHandshakeMessage.NewSessionTicket;
            default:
                throw OutOfPlace(type);
        }
    }

    private PostHandshakeMessage Read12(HandshakeType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case HandshakeType.HelloRequest when !_session.IsServer:
                return bytes.Length == 4
                    ? PostHandshakeMessage.Renegotiation
                    : throw new TlsAlertException(AlertDescription.DecodeError, "A HelloRequest that is not empty.");
            case HandshakeType.ClientHello when _session.IsServer:
                return PostHandshakeMessage.Renegotiation;
            default:
                throw OutOfPlace(type);
        }
    }

    private static TlsAlertException OutOfPlace(HandshakeType type) =>
        new(AlertDescription.UnexpectedMessage, $"The message {type} is out of place after the handshake.");
}
