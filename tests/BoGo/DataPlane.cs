using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The records after the handshake, sealed and opened in user space.</summary>
internal sealed class DataPlane : IDisposable
{
    // As KTls' connections have it: messages, alerts and empty records in a row.
    private const int MaxWithoutData = 32;

    private readonly RecordStream _stream;
    private readonly TlsSession _session;
    private readonly PostHandshakeReader _postHandshake;
    private RecordSealer _sealer;
    private RecordOpener _opener;
    private bool _owesKeyUpdate;
    private int _withoutData;

    public DataPlane(RecordStream stream, TlsSession session)
    {
        _stream = stream;
        _session = session;
        _postHandshake = session.CreatePostHandshakeReader();
        using RecordKeys send = session.GetSendKeys();
        using RecordKeys receive = session.GetReceiveKeys();
        _sealer = new RecordSealer(send);
        _opener = new RecordOpener(receive);
    }

    /// <summary>The session of the last ticket.</summary>
    public ClientSession? Ticket { get; private set; }

    public bool CloseNotifyReceived { get; private set; }

    public void Write(ReadOnlySpan<byte> data)
    {
        if (_owesKeyUpdate)
        {
            // Due before our next data (RFC 8446 §4.6.3), once for however many requests.
            _owesKeyUpdate = false;
            UpdateSendKeys();
        }

        while (!data.IsEmpty)
        {
            int length = Math.Min(data.Length, _session.MaxSendContent);
            Send(ContentType.ApplicationData, data[..length]);
            data = data[length..];
        }
    }

    public void UpdateSendKeys()
    {
        Send(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate: false));
        _session.UpdateSendKeys();
        using RecordKeys keys = _session.GetSendKeys();
        _sealer.Dispose();
        _sealer = new RecordSealer(keys);
    }

    public void SendAlert(AlertDescription description) => Send(ContentType.Alert, TlsAlert.Create(description));

    /// <summary>The data of the next record that has any; empty at the end, by close_notify or without.</summary>
    /// <exception cref="TlsAlertException">The peer did wrong, or says that we did; in the first case the alert was sent.</exception>
    public ReadOnlySpan<byte> Read()
    {
        try
        {
            while (true)
            {
                Span<byte> record = _stream.Receive();
                if (record.IsEmpty)
                {
                    return [];
                }

                Span<byte> content = _opener.Open(record, out ContentType type);
                if (_postHandshake.IsInsideMessage && type != ContentType.Handshake)
                {
                    throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} inside a handshake message.");
                }

                switch (type)
                {
                    case ContentType.ApplicationData when !content.IsEmpty:
                        _withoutData = 0;
                        return content;
                    case ContentType.ApplicationData:
                        CountWithoutData();
                        break;
                    case ContentType.Handshake:
                        ReceiveHandshake(content);
                        break;
                    case ContentType.Alert when ReceiveAlert(content):
                        return [];
                    case ContentType.Alert:
                        break;
                    default:
                        throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} after the handshake.");
                }
            }
        }
        catch (TlsAlertException e) when (!e.ReceivedFromPeer)
        {
            SendAlert(e.Description);
            throw;
        }
    }

    public void Dispose()
    {
        _sealer.Dispose();
        _opener.Dispose();
        _postHandshake.Dispose();
    }

    private void Send(ContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[content.Length + _sealer.Overhead];
        int length = _sealer.Seal(type, content, record);
        _stream.Send(record.AsSpan(0, length));
    }

    private void ReceiveHandshake(ReadOnlySpan<byte> content)
    {
        _postHandshake.Append(content);
        while (_postHandshake.TryRead(out PostHandshakeMessage message))
        {
            CountWithoutData();
            switch (message)
            {
                case PostHandshakeMessage.NewSessionTicket:
                    Ticket?.Dispose();
                    Ticket = _postHandshake.Ticket;
                    continue;
                case PostHandshakeMessage.Renegotiation:
                    SendAlert(AlertDescription.NoRenegotiation);
                    continue;
            }

            _session.UpdateReceiveKeys();
            using RecordKeys keys = _session.GetReceiveKeys();
            _opener.Dispose();
            _opener = new RecordOpener(keys);
            _owesKeyUpdate |= message == PostHandshakeMessage.KeyUpdateRequested;
        }
    }

    // True for close_notify.
    private bool ReceiveAlert(ReadOnlySpan<byte> content)
    {
        AlertDescription description = TlsAlert.Read(content);
        switch (description)
        {
            case AlertDescription.CloseNotify:
                CloseNotifyReceived = true;
                return true;
            case AlertDescription.UserCanceled:
                CountWithoutData();
                return false;
            case var _ when !_session.CanUpdateKeys && TlsAlert.IsWarning(content):
                // TLS 1.2 goes on after a warning (RFC 5246 §7.2).
                CountWithoutData();
                return false;
            default:
                throw TlsAlertException.FromPeer(description);
        }
    }

    private void CountWithoutData()
    {
        if (++_withoutData > MaxWithoutData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"More than {MaxWithoutData} messages in a row without data.");
        }
    }
}
