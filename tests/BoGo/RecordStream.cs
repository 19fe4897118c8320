using System.Net;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The TCP connection to the runner, in records.</summary>
internal sealed class RecordStream : IDisposable
{
    // The runner gives up earlier.
    private const int TimeoutMilliseconds = 60_000;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[RecordHeader.Size + RecordHeader.MaxCiphertext];
    private int _start;
    private int _end;

    private RecordStream(Socket socket) => _socket = socket;

    /// <summary>Connects, and says which test this is.</summary>
    public static RecordStream Connect(ShimFlags flags)
    {
        IPAddress address = flags.IsIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = TimeoutMilliseconds,
            SendTimeout = TimeoutMilliseconds,
        };
        socket.Connect(new IPEndPoint(address, flags.Port));
        byte[] id = new byte[sizeof(ulong)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(id, flags.ShimId);
        socket.Send(id);
        return new RecordStream(socket);
    }

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

    /// <summary>Ends the connection so that the runner loses nothing of what was sent: with data unread, a close is a reset.</summary>
    public void Dispose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            while (_socket.Receive(_buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The runner was faster.
        }

        _socket.Dispose();
    }
}
