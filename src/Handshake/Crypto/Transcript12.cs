using System.Security.Cryptography;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Crypto;

/// <summary>
/// The handshake messages of TLS 1.2 so far: their hash, and as long as a client may still sign them (RFC 5246 §7.4.8: with a
/// hash of its own choice) the messages themselves.
/// </summary>
internal sealed class Transcript12 : IDisposable
{
    private readonly IncrementalHash _hash;
    private WireWriter? _messages;

    public Transcript12(CipherSuite suite, bool keepMessages)
    {
        _hash = IncrementalHash.CreateHash(suite.Hash);
        _messages = keepMessages ? new WireWriter(4096) : null;
    }

    /// <summary>The messages, as long as they are kept.</summary>
    public ReadOnlySpan<byte> Messages => _messages is null ? default : _messages.WrittenSpan;

    public void Append(ReadOnlySpan<byte> message)
    {
        _hash.AppendData(message);
        _messages?.WriteBytes(message);
    }

    /// <summary>Nobody will sign the messages any more.</summary>
    public void DropMessages()
    {
        _messages?.Dispose();
        _messages = null;
    }

    /// <summary>The hash so far.</summary>
    /// <param name="destination">At least <see cref="CipherSuite.MaxHashLength"/> bytes.</param>
    /// <returns>The filled part.</returns>
    public ReadOnlySpan<byte> Current(Span<byte> destination) => destination[.._hash.GetCurrentHash(destination)];

    public void Dispose()
    {
        _hash.Dispose();
        DropMessages();
    }
}
