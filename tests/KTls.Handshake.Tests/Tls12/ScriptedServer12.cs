using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>A server of TLS 1.2 that says to our client what a test wants, well or badly, under the right keys.</summary>
internal sealed class ScriptedServer12 : IDisposable
{
    private readonly List<byte> _messages = [];
    private readonly KeyExchange _exchange = KeyExchange.Create(NamedGroup.X25519);
    private readonly CipherSuite _suite;
    private byte[] _masterSecret = new byte[Prf.MasterSecretLength];
    private TrafficKeys12? _keys;
    private RecordSealer? _sealer;
    private RecordOpener? _opener;

    public ScriptedServer12(ClientHandshakeOptions? options = null, CertificateCredential? credential = null)
    {
        Credential = credential ?? TestCertificates.Ecdsa;
        Client = new ClientHandshake(options ?? Connect());
        byte[] hello = Handshake(TakeOutput());
        ClientHello = ClientHello.Read(hello);
        _messages.AddRange(hello);
        TlsCipherSuite suite = Credential.KeyKind == CertificateKeyKind.Rsa
            ? TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 : TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        _suite = CipherSuite.Find(suite)!;
        Hello = new ServerHelloMessage { SessionId = [], CipherSuite = (int)suite };
        Hello.Add((int)ExtensionType.RenegotiationInfo, [0]);
        Hello.Add((int)ExtensionType.ExtendedMasterSecret);
    }

    public static ClientHandshakeOptions Connect(SslProtocols protocols = SslProtocols.Tls12, ClientSession? session = null, CertificateCredential? certificate = null) => new()
    {
        ServerName = "localhost",
        Protocols = protocols,
        Session = session,
        SelectCertificate = certificate is null ? null : _ => certificate,
    };

    public ClientHandshake Client { get; }

    public ClientHello ClientHello { get; }

    public ServerHelloMessage Hello { get; }

    public CertificateCredential Credential { get; }

    /// <summary>The client's messages after its ClientHello.</summary>
    public List<byte[]> Flight { get; } = [];

    public byte[] Messages => [.. _messages];

    public bool IsExtended { get; set; } = true;

    public void Send(byte[] record) => Client.ReceiveRecord([.. record]);

    public void SendPlain(ContentType type, byte[] content) => Send(Tls.Record(type, content));

    /// <summary>Sends messages in one record in the clear, and notes them for the transcript.</summary>
    public void SendMessages(params byte[][] messages)
    {
        _messages.AddRange(Tls.Concat(messages));
        SendPlain(ContentType.Handshake, Tls.Concat(messages));
    }

    public void SendHello() => SendMessages(Hello.ToMessage());

    public byte[] Certificate() => ScriptedClient12.Certificate(Credential.Chain);

    public static byte[] CertificateStatus(byte[] response) => Tls.Message(HandshakeType.CertificateStatus, [1], Tls.Vector24(response));

    /// <summary>ServerECDHParams.</summary>
    public byte[] Parameters(int group = (int)NamedGroup.X25519, byte[]? share = null) => [3, .. Tls.U16(group), .. Tls.Vector8(share ?? _exchange.PublicShare.ToArray())];

    /// <summary>A ServerKeyExchange whose signature is right unless the test has it over something else.</summary>
    public byte[] ServerKeyExchange(byte[]? parameters = null, SignatureScheme? scheme = null, byte[]? signed = null, SignatureScheme? named = null)
    {
        parameters ??= Parameters();
        SignatureScheme used = scheme ?? Credential.Tls12Schemes[0];
        byte[] content = signed ?? [.. ClientHello.Random, .. Hello.Random, .. parameters];
        return Tls.Message(HandshakeType.ServerKeyExchange, parameters, Tls.U16((int)(named ?? used)), Tls.Vector16(Credential.Sign(used, content)));
    }

    public static byte[] CertificateRequest(params SignatureScheme[] schemes) => Tls.Message(
        HandshakeType.CertificateRequest, Tls.Vector8([1, 64]), Tls.Vector16(Tls.U16List([.. schemes.Select(scheme => (int)scheme)])), Tls.Vector16());

    public static byte[] ServerHelloDone() => Tls.Message(HandshakeType.ServerHelloDone);

    /// <summary>ServerHello to ServerHelloDone, the client's verdict, and its flight.</summary>
    public void Exchange(params byte[][] beforeDone)
    {
        SendHello();
        SendMessages([Certificate(), ServerKeyExchange(), .. beforeDone, ServerHelloDone()]);
        Client.AcceptPeerCertificate();
        ReadFlight();
    }

    /// <summary>Reads the client's flight, the end of which must be its right Finished.</summary>
    public void ReadFlight()
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
                Assert.Equal(FinishedOf(isServer: false), content);
            }

            _messages.AddRange(content);
            foreach (byte[] message in Tls.SplitMessages(content))
            {
                Flight.Add(message);
                if (message[0] == (byte)HandshakeType.ClientKeyExchange)
                {
                    DeriveKeys(Wire.ClientKeyExchange.Read(message));
                }
            }
        }

        Assert.True(isSealed);
    }

    public byte[]? Find(HandshakeType type) => Flight.Find(message => message[0] == (byte)type);

    public void ExpandKeys(byte[] masterSecret)
    {
        _masterSecret = masterSecret;
        _keys = new TrafficKeys12(_suite, masterSecret, [.. ClientHello.Random, .. Hello.Random]);
        using RecordKeys send = _keys.Of(server: true, sequence: 0);
        using RecordKeys receive = _keys.Of(server: false, sequence: 0);
        _sealer = new RecordSealer(send);
        _opener = new RecordOpener(receive);
    }

    public static byte[] Ticket(int length, uint lifetime = 3600) => Tls.Message(
        HandshakeType.NewSessionTicket, [(byte)(lifetime >> 24), (byte)(lifetime >> 16), .. Tls.U16((int)(lifetime & 0xffff))], Tls.Vector16(new byte[length]));

    public void SendChangeCipherSpec() => SendPlain(ContentType.ChangeCipherSpec, [1]);

    public byte[] Seal(ContentType type, byte[] content)
    {
        byte[] record = new byte[content.Length + _sealer!.Overhead];
        _sealer.Seal(type, content, record);
        return record;
    }

    public void SendSealed(ContentType type, byte[] content) => Send(Seal(type, content));

    public byte[] Finished() => FinishedOf(isServer: true);

    public void SendFinished()
    {
        byte[] finished = Finished();
        _messages.AddRange(finished);
        SendSealed(ContentType.Handshake, finished);
    }

    public List<byte[]> TakeOutput()
    {
        List<byte[]> records = HandshakePair.SplitRecords(Client.Output.Span);
        Client.OutputSent();
        return records;
    }

    /// <summary>Expects that the client ends the handshake with an alert: in the clear, unless it has changed its keys already.</summary>
    public void AssertAlert(AlertDescription expected, Action step)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(step);
        Assert.Equal((expected, false), (e.Description, e.ReceivedFromPeer));
        Assert.Equal(HandshakeStatus.Failed, Client.Status);
        byte[] alert = TakeOutput()[^1];
        if (Flight.Exists(message => message[0] == (byte)HandshakeType.Finished))
        {
            Assert.Equal([2, (byte)expected], _opener!.Open(alert, out _).ToArray());
        }
        else
        {
            Assert.Equal(Tls.Record(ContentType.Alert, [2, (byte)expected]), alert);
        }

        Assert.Throws<InvalidOperationException>(Client.TakeSession);
    }

    public void Dispose()
    {
        Client.PeerCertificate?.Dispose();
        Client.Dispose();
        _exchange.Dispose();
        _keys?.Dispose();
        _sealer?.Dispose();
        _opener?.Dispose();
    }

    private static byte[] Handshake(List<byte[]> records) => Tls.Concat([.. records.Select(record => record[RecordHeader.Size..])]);

    private void DeriveKeys(ReadOnlySpan<byte> clientShare)
    {
        byte[] secret = new byte[KeyExchange.MaxSharedSecretLength];
        ReadOnlySpan<byte> premaster = secret.AsSpan(0, _exchange.Agree(clientShare, secret));
        if (IsExtended)
        {
            Prf.Compute(_suite, premaster, "extended master secret"u8, TranscriptHash(), _masterSecret);
        }
        else
        {
            Prf.Compute(_suite, premaster, "master secret"u8, [.. ClientHello.Random, .. Hello.Random], _masterSecret);
        }

        ExpandKeys(_masterSecret);
    }

    private byte[] FinishedOf(bool isServer)
    {
        byte[] verifyData = new byte[Prf.VerifyDataLength];
        Prf.FinishedVerifyData(_suite, _masterSecret, isServer, TranscriptHash(), verifyData);
        return Tls.Message(HandshakeType.Finished, verifyData);
    }

    private byte[] TranscriptHash() => System.Security.Cryptography.SHA256.HashData(Messages);
}
