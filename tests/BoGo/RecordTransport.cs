using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Records by hand.</summary>
internal sealed class RecordTransport : Transport
{
    private readonly RecordStream _stream;

    public RecordTransport(Socket socket)
        : base(socket) => _stream = new RecordStream(socket);

    public override void Run(TlsHandshake handshake)
    {
        try
        {
            Flush(handshake);
            while (handshake.Status is HandshakeStatus.NeedsRecord or HandshakeStatus.NeedsSignature)
            {
                Step(handshake);
                Flush(handshake);
            }
        }
        catch (TlsAlertException e)
        {
            // A record's header is judged outside of the handshake, which then has still to be told.
            if (!e.ReceivedFromPeer)
            {
                handshake.Fail(e.Description);
            }

            Flush(handshake);
            throw;
        }
    }

    public override void Flush(TlsHandshake handshake)
    {
        if (!handshake.Output.IsEmpty)
        {
            _stream.Send(handshake.Output.Span);
            handshake.OutputSent();
        }
    }

    public override DataPlane Establish(TlsHandshake handshake) => new RecordPlane(_stream, handshake.TakeSession());

    private void Step(TlsHandshake handshake)
    {
        if (handshake.SignatureRequest is { } request)
        {
            handshake.ProvideSignature(request.Credential.SignAsync(request.Scheme, request.Content).AsTask().GetAwaiter().GetResult());
            return;
        }

        Span<byte> record = _stream.Receive();
        if (record.IsEmpty)
        {
            throw new ShimException("The runner closed the connection within the handshake.");
        }

        handshake.ReceiveRecord(record);
    }
}
