using System.Buffers;
using System.Security.Cryptography;

namespace KTls.Handshake.Wire;

/// <summary>
/// Puts handshake messages together from the fragments in records (RFC 8446 §5.1): a message may span records,
/// a record may hold several messages. Holds no more than one message of the allowed size and one record.
/// </summary>
internal sealed class HandshakeMessageBuffer : IDisposable
{
    private const int HeaderSize = 4;

    private readonly int _maxMessageSize;
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public HandshakeMessageBuffer(int maxMessageSize) => _maxMessageSize = maxMessageSize;

    /// <summary>Whether no byte of a further message is here; a key change needs this (RFC 8446 §5.1).</summary>
    public bool IsEmpty => _start == _end;

    public void Append(ReadOnlySpan<byte> fragment)
    {
        if (_buffer.Length - _end < fragment.Length)
        {
            MakeRoom(fragment.Length);
        }

        fragment.CopyTo(_buffer.AsSpan(_end));
        _end += fragment.Length;
    }

    /// <summary>The next whole message with its header; valid until the next <see cref="Append"/>.</summary>
    public bool TryRead(out HandshakeType type, out ReadOnlySpan<byte> message)
    {
        type = default;
        message = default;
        ReadOnlySpan<byte> available = _buffer.AsSpan(_start, _end - _start);
        if (available.Length < HeaderSize)
        {
            return false;
        }

        int bodyLength = (available[1] << 16) | (available[2] << 8) | available[3];
        if (bodyLength > _maxMessageSize)
        {
            // The length alone is enough to refuse it: nothing is allocated for it.
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"A handshake message of {bodyLength} bytes is over the limit of {_maxMessageSize}.");
        }

        if (available.Length < HeaderSize + bodyLength)
        {
            return false;
        }

        type = (HandshakeType)available[0];
        message = available[..(HeaderSize + bodyLength)];
        _start += message.Length;
        return true;
    }

    /// <summary>Holds nothing while there is nothing to hold. What was read last is not valid any more.</summary>
    public void ReturnBufferIfEmpty()
    {
        if (IsEmpty)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        Return(buffer);
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length != 0)
        {
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void MakeRoom(int count)
    {
        ReadOnlySpan<byte> kept = _buffer.AsSpan(_start, _end - _start);
        int needed = kept.Length + count;
        if (needed <= _buffer.Length)
        {
            kept.CopyTo(_buffer);
        }
        else
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2048));
            kept.CopyTo(larger);
            Return(_buffer);
            _buffer = larger;
        }

        _end = kept.Length;
        _start = 0;
    }
}
