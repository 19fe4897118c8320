using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;
using System.Net.Security;
using System.Runtime.InteropServices;

namespace KTls.Fuzz.Handshakes;

/// <summary>The handshake messages that went one way, one after the other, as one end sees them.</summary>
internal sealed class HandshakeStream
{
    private const int HeaderLength = 4;

    private readonly List<byte> _bytes = [];

    public void Append(ReadOnlySpan<byte> content) => _bytes.AddRange(content);

    /// <summary>The random of the first hello of a kind; null when there is none.</summary>
    public byte[]? Random(HandshakeType type) => Find(type) is { Length: >= 38 } hello ? hello[6..38] : null;

    /// <summary>The suite of the ServerHello; null when there is none.</summary>
    public CipherSuite? Suite()
    {
        const int SessionIdOffset = 38;
        return Find(HandshakeType.ServerHello) is { Length: > SessionIdOffset } hello && hello.Length >= SessionIdOffset + 3 + hello[SessionIdOffset]
            ? CipherSuite.Find((TlsCipherSuite)((hello[SessionIdOffset + 1 + hello[SessionIdOffset]] << 8) | hello[SessionIdOffset + 2 + hello[SessionIdOffset]]))
            : null;
    }

    /// <summary>All of it but the HelloRequests, which are no part of a handshake (RFC 5246 §7.4.1.1).</summary>
    public byte[] Transcript()
    {
        List<byte[]> messages = Split(CollectionsMarshal.AsSpan(_bytes));
        return [.. messages.Where(message => message is not [0, 0, 0, 0]).SelectMany(message => message)];
    }

    /// <summary>Messages with their headers; what is left at the end is the last one.</summary>
    public static List<byte[]> Split(ReadOnlySpan<byte> bytes)
    {
        var messages = new List<byte[]>();
        while (!bytes.IsEmpty)
        {
            int length = bytes.Length < HeaderLength ? bytes.Length : Math.Min(bytes.Length, HeaderLength + ((bytes[1] << 16) | (bytes[2] << 8) | bytes[3]));
            messages.Add(bytes[..length].ToArray());
            bytes = bytes[length..];
        }

        return messages;
    }

    private byte[]? Find(HandshakeType type) => Split(CollectionsMarshal.AsSpan(_bytes)).Find(message => message[0] == (byte)type);
}
