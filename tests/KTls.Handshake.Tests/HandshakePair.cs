using System.Net.Security;

namespace KTls.Handshake.Tests;

/// <summary>A client and a server of ours, joined by nothing but arrays.</summary>
internal sealed class HandshakePair : IDisposable
{
    public HandshakePair(ServerHandshakeOptions? server = null, ClientHandshakeOptions? client = null)
    {
        ServerOptions = server ?? new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa };
        Client = new ClientHandshake(client ?? new ClientHandshakeOptions { ServerName = "localhost" });
    }

    public ServerHandshakeOptions ServerOptions { get; }

    public ServerHandshake Server { get; } = new();

    public ClientHandshake Client { get; }

    /// <summary>Changes a record under way: (from the client, number of the record in its direction, the record).</summary>
    public Func<bool, int, byte[], byte[]>? Tamper { get; set; }

    /// <summary>Whether an end trusts the other's certificate. Default: both do.</summary>
    public Func<TlsHandshake, bool>? Verdict { get; set; }

    /// <summary>What an end hears that is not trusted.</summary>
    public AlertDescription Refusal { get; set; } = AlertDescription.CertificateUnknown;

    public int ClientRecords { get; private set; }

    public int ServerRecords { get; private set; }

    /// <summary>The random of the server's ServerHello, unless a HelloRetryRequest came before it.</summary>
    public byte[] ServerRandom { get; private set; } = [];

    /// <summary>Records for an end whose handshake was complete: the server's tickets, or its alert.</summary>
    public List<byte[]> LateRecords { get; } = [];

    public void Run()
    {
        while (Client.Status != HandshakeStatus.Complete || Server.Status != HandshakeStatus.Complete)
        {
            if (!Deliver(Client, Server, fromClient: true) & !Deliver(Server, Client, fromClient: false))
            {
                throw new InvalidOperationException($"Nothing moves: client {Client.Status}, server {Server.Status}.");
            }
        }
    }

    public static List<byte[]> SplitRecords(ReadOnlySpan<byte> bytes)
    {
        var records = new List<byte[]>();
        while (!bytes.IsEmpty)
        {
            int length = RecordHeader.Read(bytes).RecordLength;
            records.Add(bytes[..length].ToArray());
            bytes = bytes[length..];
        }

        return records;
    }

    /// <summary>Hands the last words of one end to the other.</summary>
    /// <returns>The alert that the other end reads.</returns>
    public static AlertDescription DeliverAlert(TlsHandshake from, TlsHandshake to)
    {
        List<byte[]> records = SplitRecords(from.Output.Span);
        if (to.Status != HandshakeStatus.Complete)
        {
            // Before a sealed alert there can be a change_cipher_spec.
            TlsAlertException e = Assert.Throws<TlsAlertException>(() => records.ForEach(record => to.ReceiveRecord(record)));
            Assert.True(e.ReceivedFromPeer);
            return e.Description;
        }

        // A client of TLS 1.3 is done before the server has looked at its last flight.
        using TlsSession session = to.TakeSession();
        using RecordKeys keys = session.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        ReadOnlySpan<byte> content = opener.Open(records[^1], out ContentType type);
        Assert.Equal((ContentType.Alert, 2), (type, content.Length));
        return (AlertDescription)content[1];
    }

    /// <summary>Runs until the server refuses the client. A client of TLS 1.3 is done by then, and gets the alert with the application keys.</summary>
    public AlertDescription AlertToClient()
    {
        Exception? e = Record.Exception(Run);
        if (e is TlsAlertException alert)
        {
            Assert.True(alert.ReceivedFromPeer);
            return alert.Description;
        }

        Assert.IsType<InvalidOperationException>(e);
        using TlsSession client = Client.TakeSession();
        using RecordKeys keys = client.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        Span<byte> content = opener.Open(Assert.Single(LateRecords), out ContentType type);
        Assert.Equal(ContentType.Alert, type);
        return TlsAlert.Read(content);
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private bool Deliver(TlsHandshake from, TlsHandshake to, bool fromClient)
    {
        List<byte[]> records = SplitRecords(from.Output.Span);
        from.OutputSent();
        foreach (byte[] record in records)
        {
            if (to.Status == HandshakeStatus.Failed)
            {
                break;
            }

            if (to.Status == HandshakeStatus.Complete)
            {
                LateRecords.Add(record);
                continue;
            }

            if (!fromClient && ServerRecords == 0 && record[RecordHeader.Size] == (byte)Wire.HandshakeType.ServerHello)
            {
                ServerRandom = record[(RecordHeader.Size + 6)..(RecordHeader.Size + 38)];
            }

            int number = fromClient ? ClientRecords++ : ServerRecords++;
            to.ReceiveRecord(Tamper?.Invoke(fromClient, number, record) ?? record);
            while (Answer(to))
            {
            }
        }

        return records.Count != 0;
    }

    private bool Answer(TlsHandshake handshake)
    {
        switch (handshake.Status)
        {
            case HandshakeStatus.NeedsServerOptions:
                ((ServerHandshake)handshake).Accept(ServerOptions);
                return true;
            case HandshakeStatus.NeedsCertificateVerdict:
                Judge(handshake);
                return true;
            case HandshakeStatus.NeedsSignature:
                SignatureRequest request = handshake.SignatureRequest!;
                handshake.ProvideSignature(request.Credential.SignAsync(request.Scheme, request.Content).AsTask().GetAwaiter().GetResult());
                return true;
            default:
                return false;
        }
    }

    private void Judge(TlsHandshake handshake)
    {
        if (Verdict?.Invoke(handshake) ?? true)
        {
            handshake.AcceptPeerCertificate();
        }
        else
        {
            handshake.Fail(Refusal);
        }
    }
}
