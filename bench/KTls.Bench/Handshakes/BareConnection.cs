using System.Buffers;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>Our handshake without I/O on a blocking socket, and without a verdict on the certificate: the cheapest peer there is here.</summary>
internal sealed class BareConnection(Socket socket) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(RecordHeader.Size + RecordHeader.MaxCiphertext);
    private int _start;
    private int _end;
    private TlsSession? _session;

    /// <summary>Does the handshake as a client.</summary>
    public void Connect(ClientHandshakeOptions options)
    {
        using var handshake = new ClientHandshake(options);
        Run(handshake, serverOptions: null);
    }

    /// <summary>Does the handshake as a server.</summary>
    public void Accept(ServerHandshakeOptions options)
    {
        using var handshake = new ServerHandshake();
        Run(handshake, options);
    }

    /// <summary>Sends a byte of data, behind which a client finds the tickets.</summary>
    public void SendByte()
    {
        using RecordKeys keys = _session!.GetSendKeys();
        using var sealer = new RecordSealer(keys);
        Span<byte> record = stackalloc byte[1 + RecordSealer.MaxOverhead];
        socket.Send(record[..sealer.Seal(ContentType.ApplicationData, [0], record)]);
    }

    /// <summary>Receives up to the first data, and keeps the sessions that come before.</summary>
    public void ReceiveByte(SessionPile sessions)
    {
        using RecordKeys keys = _session!.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        using PostHandshakeReader reader = _session.CreatePostHandshakeReader();
        while (true)
        {
            ReadOnlySpan<byte> content = opener.Open(NextRecord(), out ContentType type);
            if (type == ContentType.ApplicationData)
            {
                return;
            }

            reader.Append(content);
            while (reader.TryRead(out _))
            {
                if (reader.Ticket is { } session)
                {
                    sessions.Add(session);
                }
            }
        }
    }

    public void Dispose()
    {
        _session?.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        socket.Dispose();
    }

    private void Run(TlsHandshake handshake, ServerHandshakeOptions? serverOptions)
    {
        while (true)
        {
            if (!handshake.Output.IsEmpty)
            {
                socket.Send(handshake.Output.Span);
                handshake.OutputSent();
            }

            switch (handshake.Status)
            {
                case HandshakeStatus.NeedsServerOptions:
                    ((ServerHandshake)handshake).Accept(serverOptions!);
                    break;
                case HandshakeStatus.NeedsCertificateVerdict:
                    handshake.AcceptPeerCertificate();
                    break;
                case HandshakeStatus.NeedsRecord:
                    handshake.ReceiveRecord(NextRecord());
                    break;
                default:
                    handshake.PeerCertificate?.Dispose();
                    _session = handshake.TakeSession();
                    return;
            }
        }
    }

    private Span<byte> NextRecord()
    {
        while (_end - _start < RecordHeader.Size || _end - _start < RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            int received = socket.Receive(_buffer.AsSpan(_end));
            _end += received != 0 ? received : throw new IOException("The measured process closed the connection.");
        }

        Span<byte> record = _buffer.AsSpan(_start, RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength);
        _start += record.Length;
        return record;
    }
}
