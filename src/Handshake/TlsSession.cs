using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>
/// What a complete handshake leaves behind: what was agreed on, and the little that a connection still needs of its keys,
/// namely the keys of each direction now and after the next KeyUpdate. Zeroed on dispose.
/// </summary>
public sealed class TlsSession : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly SecretBytes _sendSecret;
    private readonly SecretBytes _receiveSecret;

    internal TlsSession(CipherSuite suite, SecretBytes sendSecret, SecretBytes receiveSecret)
    {
        _suite = suite;
        _sendSecret = sendSecret;
        _receiveSecret = receiveSecret;
    }

    /// <summary>The protocol version.</summary>
    public SslProtocols Protocol { get; internal init; } = SslProtocols.Tls13;

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite => _suite.Id;

    /// <summary>The group of the key agreement.</summary>
    public NamedGroup Group { get; internal init; }

    /// <summary>The application protocol (ALPN); the default value when none was agreed on.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; internal init; }

    /// <summary>Whether this end is the server.</summary>
    public bool IsServer { get; internal init; }

    /// <summary>The keys of the records that this end sends now. The caller disposes them.</summary>
    /// <returns>Keys whose next record has the number 0 when the generation is new.</returns>
    public RecordKeys GetSendKeys() => new(_suite, _sendSecret.Span);

    /// <summary>The keys of the records that the peer sends now. The caller disposes them.</summary>
    /// <returns>Keys whose next record has the number 0 when the generation is new.</returns>
    public RecordKeys GetReceiveKeys() => new(_suite, _receiveSecret.Span);

    /// <summary>Goes on to the next generation of keys for sending (RFC 8446 §7.2): after a KeyUpdate was sent.</summary>
    public void UpdateSendKeys() => KeySchedule.UpdateTrafficSecret(_suite, _sendSecret);

    /// <summary>Goes on to the next generation of keys for receiving (RFC 8446 §7.2): after a KeyUpdate was received.</summary>
    public void UpdateReceiveKeys() => KeySchedule.UpdateTrafficSecret(_suite, _receiveSecret);

    /// <summary>Creates a reader for the handshake messages that come after the handshake.</summary>
    /// <returns>The reader.</returns>
    public PostHandshakeReader CreatePostHandshakeReader() => new(IsServer);

    /// <inheritdoc/>
    public void Dispose()
    {
        _sendSecret.Dispose();
        _receiveSecret.Dispose();
    }
}
