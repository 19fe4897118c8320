using KTls.Handshake.Wire;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The handshake messages of TLS 1.2 so far: their hash, and as long as a client may still sign them (RFC 5246 §7.4.8: with a
/// hash of its own choice) the messages themselves.
/// </summary>
internal sealed class Transcript12 : IDisposable
{
    private readonly Digest _digest;
    private WireWriter? _messages;

    public Transcript12(CipherSuite suite, bool keepMessages)
    {
        _digest = Digest.Create(suite.Hash);
        _messages = keepMessages ? new WireWriter(4096) : null;
    }

    /// <summary>The messages, as long as they are kept.</summary>
    public ReadOnlySpan<byte> Messages => _messages is null ? default : _messages.WrittenSpan;

    public void Append(ReadOnlySpan<byte> message)
    {
        _digest.Append(message);
        _messages?.WriteBytes(message);
    }

    /// <summary>Nobody will sign the messages any more.</summary>
    public void DropMessages()
    {
        _messages?.Dispose();
        _messages = null;
    }

    /// <inheritdoc cref="Digest.Current"/>
    public ReadOnlySpan<byte> Current(Span<byte> destination) => _digest.Current(destination);

    public void Dispose()
    {
        _digest.Dispose();
        DropMessages();
    }
}
