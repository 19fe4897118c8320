using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>A TCP connection, in records.</summary>
internal sealed class RecordStream
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[RecordHeader.Size + RecordHeader.MaxCiphertext];
    private int _start;
    private int _end;

    public RecordStream(Socket socket) => _socket = socket;

    public void Send(ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

    /// <summary>The next whole record, which the caller may overwrite until the next call; empty at the end of the stream.</summary>
    /// <exception cref="TlsAlertException">What comes is not a TLS record.</exception>
    /// <exception cref="ShimException">The stream ends within a record.</exception>
    public Span<byte> Receive()
    {
        while (true)
        {
            int available = _end - _start;
            if (available >= RecordHeader.Size)
            {
                int length = RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength;
                if (available >= length)
                {
                    _start += length;
                    return _buffer.AsSpan(_start - length, length);
                }
            }

            _buffer.AsSpan(_start, available).CopyTo(_buffer);
            _start = 0;
            int received = _socket.Receive(_buffer.AsSpan(available));
            _end = available + received;
            if (received == 0)
            {
                return available == 0 ? [] : throw new ShimException("The runner closed the connection within a record.");
            }
        }
    }
}
