using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>An end after its handshake: what a connection does with the session.</summary>
internal sealed class AfterHandshake : IDisposable
{
    private readonly PostHandshakeReader _reader;
    private RecordSealer _sealer;
    private RecordOpener _opener;

    public AfterHandshake(TlsSession session)
    {
        Session = session;
        Ticket = Export(session.TakeTicket());
        _reader = session.CreatePostHandshakeReader();
        using RecordKeys sending = session.GetSendKeys();
        using RecordKeys receiving = session.GetReceiveKeys();
        _sealer = new RecordSealer(sending);
        _opener = new RecordOpener(receiving);
    }

    public TlsSession Session { get; }

    /// <summary>How often the peer has changed its keys.</summary>
    public int KeyUpdates { get; private set; }

    /// <summary>Whether the peer has begun a message and not ended it.</summary>
    public bool IsInsideMessage => _reader.IsInsideMessage;

    /// <summary>The last session that can be resumed; null: there was none.</summary>
    public byte[]? Ticket { get; private set; }

    /// <summary>The last application data.</summary>
    public byte[]? Data { get; private set; }

    /// <summary>Takes a record.</summary>
    /// <exception cref="TlsAlertException">It is wrong.</exception>
    public void Receive(byte[] record)
    {
        ReadOnlySpan<byte> content = _opener.Open(record, out ContentType type);
        switch (type)
        {
            case ContentType.Handshake:
                _reader.Append(content);
                while (_reader.TryRead(out PostHandshakeMessage message))
                {
                    Receive(message);
                }

                break;
            case ContentType.Alert:
                throw TlsAlertException.FromPeer(TlsAlert.Read(content));
            default:
                Data = content.ToArray();
                break;
        }
    }

    public byte[] Seal(ContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[content.Length + _sealer.Overhead];
        _sealer.Seal(type, content, record);
        return record;
    }

    /// <summary>Changes the sending keys.</summary>
    /// <returns>The record that tells the peer.</returns>
    public byte[] UpdateKeys()
    {
        byte[] record = Seal(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate: false));
        ChangeKeys();
        return record;
    }

    /// <summary>Goes on with the next sending keys.</summary>
    public void ChangeKeys()
    {
        Session.UpdateSendKeys();
        using RecordKeys keys = Session.GetSendKeys();
        _sealer.Dispose();
        _sealer = new RecordSealer(keys);
    }

    public void Dispose()
    {
        _sealer.Dispose();
        _opener.Dispose();
        _reader.Dispose();
        Session.Dispose();
    }

    private static byte[]? Export(ClientSession? ticket)
    {
        using (ticket)
        {
            return ticket?.Export();
        }
    }

    private void Receive(PostHandshakeMessage message)
    {
        if (message == PostHandshakeMessage.NewSessionTicket)
        {
            Ticket = Export(_reader.Ticket) ?? Ticket;
        }
        else if (message is PostHandshakeMessage.KeyUpdate or PostHandshakeMessage.KeyUpdateRequested)
        {
            KeyUpdates++;
            Session.UpdateReceiveKeys();
            using RecordKeys keys = Session.GetReceiveKeys();
            _opener.Dispose();
            _opener = new RecordOpener(keys);
        }
    }
}
