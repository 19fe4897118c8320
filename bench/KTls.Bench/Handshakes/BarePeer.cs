using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>Our handshake without I/O on a blocking socket, and without a verdict on the certificate: the cheapest peer there is here.</summary>
internal sealed class BarePeer
{
    private static readonly ClientHandshakeOptions ClientOptions = new() { ServerName = "localhost" };

    private readonly ServerHandshakeOptions? _serverOptions;

    private BarePeer(ServerHandshakeOptions? serverOptions) => _serverOptions = serverOptions;

    [ThreadStatic]
    private static byte[]? t_buffer;

    public static BarePeer Client() => new(serverOptions: null);

    public static BarePeer Server(X509Certificate2 certificate)
    {
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(certificate, [], offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? new BarePeer(new ServerHandshakeOptions { Credential = credential })
            : throw new InvalidOperationException(reason);
    }

    public void ShakeHands(Socket socket)
    {
        using TlsHandshake handshake = _serverOptions is null ? new ClientHandshake(ClientOptions) : new ServerHandshake();
        var received = new Received(t_buffer ??= new byte[RecordHeader.Size + RecordHeader.MaxCiphertext]);
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
                    ((ServerHandshake)handshake).Accept(_serverOptions!);
                    break;
                case HandshakeStatus.NeedsCertificateVerdict:
                    ((ClientHandshake)handshake).AcceptPeerCertificate();
                    break;
                case HandshakeStatus.NeedsRecord:
                    handshake.ReceiveRecord(received.NextRecord(socket));
                    break;
                default:
                    handshake.TakeSession().Dispose();
                    return;
            }
        }
    }

    private ref struct Received(byte[] buffer)
    {
        private int _start;
        private int _end;

        public Span<byte> NextRecord(Socket socket)
        {
            while (_end - _start < RecordHeader.Size || _end - _start < RecordHeader.Read(buffer.AsSpan(_start)).RecordLength)
            {
                buffer.AsSpan(_start, _end - _start).CopyTo(buffer);
                _end -= _start;
                _start = 0;
                int received = socket.Receive(buffer.AsSpan(_end));
                _end += received != 0 ? received : throw new IOException("The peer closed the connection during the handshake.");
            }

            Span<byte> record = buffer.AsSpan(_start, RecordHeader.Read(buffer.AsSpan(_start)).RecordLength);
            _start += record.Length;
            return record;
        }
    }
}
