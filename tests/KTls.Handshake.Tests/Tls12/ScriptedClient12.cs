using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>A client of TLS 1.2 that says to our server what a test wants, well or badly, under the right keys.</summary>
internal sealed class ScriptedClient12 : IDisposable
{
    public const int EcdheEcdsaAes128 = 0xc02b;

    private static readonly CipherSuite Suite = CipherSuite.Find((TlsCipherSuite)EcdheEcdsaAes128)!;

    private readonly List<byte> _messages = [];
    private readonly KeyExchange _exchange = KeyExchange.Create(NamedGroup.X25519);
    private readonly byte[] _randoms = new byte[64];
    private byte[] _masterSecret = new byte[Prf.MasterSecretLength];
    private byte[] _premasterSecret = [];
    private TrafficKeys12? _keys;
    private RecordSealer? _sealer;
    private RecordOpener? _opener;

    public ScriptedClient12(ServerHandshakeOptions? options = null)
    {
        Options = options ?? Serve();
        Hello = new ClientHelloMessage { CipherSuites = Tls.Vector16(Tls.U16(EcdheEcdsaAes128)), SessionId = [] };
        Hello.Remove(ExtensionType.SupportedVersions);
        Hello.Remove(ExtensionType.KeyShare);
        Hello.Remove(ExtensionType.ApplicationLayerProtocolNegotiation);
        Hello.Add((int)ExtensionType.ExtendedMasterSecret);
    }

    public static ServerHandshakeOptions Serve(bool asksForCertificate = false, TicketKeyRing? ring = null) => new()
    {
        Credential = TestCertificates.Ecdsa,
        Protocols = SslProtocols.Tls12,
        RequestClientCertificate = asksForCertificate,
        Tickets = ring,
    };

    public ServerHandshake Server { get; } = new();

    public ServerHandshakeOptions Options { get; }

    public ClientHelloMessage Hello { get; }

    /// <summary>The server's messages so far.</summary>
    public List<byte[]> Flight { get; } = [];

    /// <summary>The messages so far, as a CertificateVerify signs them.</summary>
    public byte[] Messages => [.. _messages];

    public bool IsExtended { get; set; } = true;

    public byte[] MasterSecret => _masterSecret;

    public void Send(byte[] record)
    {
        Server.ReceiveRecord([.. record]);
        if (Server.Status == HandshakeStatus.NeedsServerOptions)
        {
            Server.Accept(Options);
        }
    }

    public void SendPlain(ContentType type, byte[] content) => Send(Tls.Record(type, content));

    /// <summary>Sends messages in one record in the clear, and notes them for the transcript.</summary>
    public void SendMessages(params byte[][] messages)
    {
        _messages.AddRange(Tls.Concat(messages));
        SendPlain(ContentType.Handshake, Tls.Concat(messages));
    }

    public void SendHello()
    {
        Hello.Random.CopyTo(_randoms, 0);
        SendMessages(Hello.ToMessage());
    }

    /// <summary>Reads ServerHello to ServerHelloDone.</summary>
    public void ReadFlight()
    {
        byte[] content = Tls.Concat([.. TakeOutput().Where(record => record[0] == (byte)ContentType.Handshake).Select(record => record[RecordHeader.Size..])]);
        _messages.AddRange(content);
        Flight.AddRange(Tls.SplitMessages(content));
        Flight[0].AsSpan(6, 32).CopyTo(_randoms.AsSpan(32));
        if (Find(HandshakeType.ServerKeyExchange) is { } parameters)
        {
            byte[] secret = new byte[KeyExchange.MaxSharedSecretLength];
            _premasterSecret = secret[.._exchange.Agree(ServerKeyExchange.Read(parameters).Share, secret)];
        }
    }

    public byte[]? Find(HandshakeType type) => Flight.Find(message => message[0] == (byte)type);

    public byte[] ClientKeyExchange() => Tls.Message(HandshakeType.ClientKeyExchange, Tls.Vector8(_exchange.PublicShare.ToArray()));

    public void SendKeyExchange()
    {
        SendMessages(ClientKeyExchange());
        DeriveKeys();
    }

    /// <summary>Master secret and keys of the messages so far.</summary>
    public void DeriveKeys()
    {
        if (IsExtended)
        {
            Prf.Compute(Suite, _premasterSecret, "extended master secret"u8, TranscriptHash(), _masterSecret);
        }
        else
        {
            Prf.Compute(Suite, _premasterSecret, "master secret"u8, _randoms, _masterSecret);
        }

        ExpandKeys(_masterSecret);
    }

    public void ExpandKeys(byte[] masterSecret)
    {
        _masterSecret = masterSecret;
        _keys = new TrafficKeys12(Suite, masterSecret, _randoms);
        using RecordKeys send = _keys.Of(server: false, sequence: 0);
        using RecordKeys receive = _keys.Of(server: true, sequence: 0);
        _sealer = new RecordSealer(send);
        _opener = new RecordOpener(receive);
    }

    public static byte[] Certificate(params byte[][] chain) => Tls.Message(HandshakeType.Certificate, Tls.Vector24([.. chain.Select(one => Tls.Vector24(one))]));

    /// <summary>A CertificateVerify over the messages so far, or over others.</summary>
    public byte[] CertificateVerify(CertificateCredential credential, SignatureScheme scheme, byte[]? content = null) => Tls.Message(
        HandshakeType.CertificateVerify, Tls.U16((int)scheme), Tls.Vector16(credential.Sign(scheme, content ?? Messages)));

    public void SendChangeCipherSpec() => SendPlain(ContentType.ChangeCipherSpec, [1]);

    public void SendSealed(ContentType type, byte[] content) => Send(Seal(type, content));

    public byte[] Seal(ContentType type, byte[] content)
    {
        byte[] record = new byte[content.Length + _sealer!.Overhead];
        _sealer.Seal(type, content, record);
        return record;
    }

    /// <summary>The right Finished.</summary>
    public byte[] Finished() => FinishedOf(isServer: false);

    public void SendFinished()
    {
        byte[] finished = Finished();
        _messages.AddRange(finished);
        SendSealed(ContentType.Handshake, finished);
    }

    /// <summary>Reads what the server sends last: a ticket, change_cipher_spec and Finished, which must be right.</summary>
    public void ReadEnd()
    {
        bool isSealed = false;
        foreach (byte[] record in TakeOutput())
        {
            if (record[0] == (byte)ContentType.ChangeCipherSpec)
            {
                isSealed = true;
                continue;
            }

            byte[] content = isSealed ? _opener!.Open(record, out _).ToArray() : record[RecordHeader.Size..];
            if (isSealed)
            {
                Assert.Equal(FinishedOf(isServer: true), content);
            }

            _messages.AddRange(content);
            Flight.AddRange(Tls.SplitMessages(content));
        }

        Assert.True(isSealed);
    }

    /// <summary>Reads ServerHello, change_cipher_spec and Finished of a resumed session.</summary>
    public void ReadResumption(byte[] masterSecret)
    {
        List<byte[]> records = TakeOutput();
        Assert.Equal([ContentType.Handshake, ContentType.ChangeCipherSpec, ContentType.Handshake], records.Select(record => (ContentType)record[0]));
        byte[] serverHello = records[0][RecordHeader.Size..];
        _messages.AddRange(serverHello);
        serverHello.AsSpan(6, 32).CopyTo(_randoms.AsSpan(32));
        ExpandKeys(masterSecret);
        byte[] finished = _opener!.Open(records[2], out _).ToArray();
        Assert.Equal(FinishedOf(isServer: true), finished);
        _messages.AddRange(finished);
    }

    /// <summary>A handshake up to where the client's change_cipher_spec is due.</summary>
    public static ScriptedClient12 BeforeChangeCipherSpec(ServerHandshakeOptions? options = null)
    {
        var client = new ScriptedClient12(options);
        client.SendHello();
        client.ReadFlight();
        client.SendKeyExchange();
        return client;
    }

    public List<byte[]> TakeOutput()
    {
        List<byte[]> records = HandshakePair.SplitRecords(Server.Output.Span);
        Server.OutputSent();
        return records;
    }

    /// <summary>Expects that the server ends the handshake with an alert, in the clear as long as it has not changed its keys.</summary>
    public void AssertAlert(AlertDescription expected, Action step)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(step);
        Assert.Equal((expected, false), (e.Description, e.ReceivedFromPeer));
        Assert.Equal(HandshakeStatus.Failed, Server.Status);
        Assert.Equal(Tls.Record(ContentType.Alert, [2, (byte)expected]), TakeOutput()[^1]);
        Assert.Throws<InvalidOperationException>(Server.TakeSession);
    }

    public void Dispose()
    {
        Server.PeerCertificate?.Dispose();
        Server.Dispose();
        _exchange.Dispose();
        _keys?.Dispose();
        _sealer?.Dispose();
        _opener?.Dispose();
    }

    private byte[] FinishedOf(bool isServer)
    {
        byte[] verifyData = new byte[Prf.VerifyDataLength];
        Prf.FinishedVerifyData(Suite, _masterSecret, isServer, TranscriptHash(), verifyData);
        return Tls.Message(HandshakeType.Finished, verifyData);
    }

    private byte[] TranscriptHash() => System.Security.Cryptography.SHA256.HashData(Messages);
}
