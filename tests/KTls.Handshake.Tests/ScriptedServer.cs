using System.Net.Security;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>A server that says to our client what a test wants, well or badly, under the right keys.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private static readonly CipherSuite Suite = CipherSuite.Find(TlsCipherSuite.TLS_AES_128_GCM_SHA256)!;

    private readonly List<byte[]> _messages = [];
    private readonly KeyExchange _x25519 = KeyExchange.Create(NamedGroup.X25519);
    private readonly KeyExchange _p256 = KeyExchange.Create(NamedGroup.Secp256r1);
    private readonly byte[] _sessionId;
    private RecordSealer? _sealer;
    private KeySchedule? _schedule;
    private SecretBytes? _serverSecret;
    private SecretBytes? _clientSecret;
    private bool _hasRetried;

    public ScriptedServer(ClientHandshakeOptions? options = null)
    {
        Client = new ClientHandshake(options ?? new ClientHandshakeOptions
        {
            ServerName = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            CipherSuites = [Suite.Id, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256],
        });
        ClientHello = TakeClientHello();
        _sessionId = ClientHello.SessionId.ToArray();
        Hello = ServerHello(NamedGroup.X25519);
    }

    public ClientHandshake Client { get; }

    public ClientHello ClientHello { get; private set; }

    public ServerHelloMessage Hello { get; set; }

    /// <summary>The key of the session that is resumed; empty: none is.</summary>
    public byte[] PreSharedKey { get; set; } = [];

    public CertificateCredential Credential { get; set; } = TestCertificates.Ecdsa;

    /// <summary>A ServerHello that is right but for the group, which the test chooses.</summary>
    public ServerHelloMessage ServerHello(NamedGroup group)
    {
        var hello = new ServerHelloMessage { SessionId = _sessionId };
        hello.Set(ExtensionType.SupportedVersions, Tls.U16(0x0304));
        hello.Set(ExtensionType.KeyShare, Tls.U16((int)group), Tls.Vector16((group == NamedGroup.X25519 ? _x25519 : _p256).PublicShare.ToArray()));
        return hello;
    }

    /// <summary>A right HelloRetryRequest for P-256.</summary>
    public ServerHelloMessage HelloRetryRequest()
    {
        var hello = new ServerHelloMessage { SessionId = _sessionId, Random = ServerHelloMessage.RetryRandom };
        hello.Set(ExtensionType.SupportedVersions, Tls.U16(0x0304));
        hello.Set(ExtensionType.KeyShare, Tls.U16((int)NamedGroup.Secp256r1));
        return hello;
    }

    public void Send(byte[] record) => Client.ReceiveRecord([.. record]);

    public void SendPlain(ContentType type, byte[] content) => Send(Tls.Record(type, content));

    /// <summary>Sends a HelloRetryRequest and takes the second ClientHello.</summary>
    public void SendRetry(ServerHelloMessage request)
    {
        byte[] message = request.ToMessage();
        SendPlain(ContentType.Handshake, message);
        _messages.Add(message);
        _hasRetried = true;
        ClientHello = TakeClientHello();
    }

    /// <summary>Sends <see cref="Hello"/> and goes on to the handshake keys.</summary>
    public void SendHello(bool isP256 = false)
    {
        byte[] message = Hello.ToMessage();
        SendPlain(ContentType.Handshake, message);
        _messages.Add(message);

        KeyExchange exchange = isP256 ? _p256 : _x25519;
        Span<byte> secret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        int length = exchange.Agree(ClientHello.KeyShares[^exchange.PublicShare.Length..], secret);
        _schedule = new KeySchedule(Suite, PreSharedKey);
        _schedule.EnterHandshake(secret[..length]);
        _serverSecret = _schedule.Derive("s hs traffic"u8, TranscriptHash());
        _clientSecret = _schedule.Derive("c hs traffic"u8, TranscriptHash());
        using var keys = new RecordKeys(Suite, _serverSecret.Span);
        _sealer = new RecordSealer(keys);
    }

    /// <summary>Sends messages in one sealed record and notes them for the transcript.</summary>
    public void SendSealed(params byte[][] messages)
    {
        _messages.AddRange(messages);
        SendSealed(ContentType.Handshake, Tls.Concat(messages));
    }

    public void SendSealed(ContentType type, byte[] content) => Send(Seal(type, content));

    public byte[] Seal(ContentType type, byte[] content)
    {
        byte[] record = new byte[content.Length + _sealer!.Overhead];
        _sealer!.Seal(type, content, record);
        return record;
    }

    /// <summary>Notes a message for the transcript that the test sends by itself.</summary>
    public byte[] Note(byte[] message)
    {
        _messages.Add(message);
        return message;
    }

    public static byte[] EncryptedExtensions(params byte[][] extensions) => Tls.Message(HandshakeType.EncryptedExtensions, Tls.Vector16(extensions));

    public static byte[] Certificate(params byte[][] chain) => Tls.Message(HandshakeType.Certificate, [0], Tls.Vector24([.. chain.Select(Entry)]));

    public static byte[] Entry(byte[] certificate) => [.. Tls.Vector24(certificate), 0, 0];

    public byte[] Certificate() => Certificate([.. Credential.Chain]);

    /// <summary>The right CertificateVerify for what was sent so far, or one with another scheme.</summary>
    public byte[] CertificateVerify(SignatureScheme? scheme = null, byte[]? signature = null) => Tls.Message(
        HandshakeType.CertificateVerify,
        Tls.U16((int)(scheme ?? Credential.Schemes[0])),
        Tls.Vector16(signature ?? Credential.Sign(Credential.Schemes[0], SignedContent())));

    public byte[] SignedContent() => Wire.CertificateVerify.Content(isServer: true, TranscriptHash(), new byte[Wire.CertificateVerify.MaxContentLength]).ToArray();

    /// <summary>The right Finished for what was sent so far.</summary>
    public byte[] Finished()
    {
        byte[] verifyData = new byte[Suite.HashLength];
        KeySchedule.FinishedVerifyData(Suite, _serverSecret!.Span, TranscriptHash(), verifyData);
        return Tls.Message(HandshakeType.Finished, verifyData);
    }

    /// <summary>The handshake up to and with a message.</summary>
    public static ScriptedServer After(HandshakeType last, ClientHandshakeOptions? options = null, CertificateCredential? credential = null)
    {
        var server = new ScriptedServer(options);
        server.Credential = credential ?? server.Credential;
        server.SendHello();
        if (last == HandshakeType.ServerHello)
        {
            return server;
        }

        server.SendSealed(EncryptedExtensions());
        if (last == HandshakeType.EncryptedExtensions)
        {
            return server;
        }

        server.SendSealed(server.Certificate());
        if (last == HandshakeType.Certificate)
        {
            return server;
        }

        server.SendSealed(server.CertificateVerify());
        server.Client.AcceptPeerCertificate();
        return server;
    }

    public List<byte[]> TakeOutput()
    {
        List<byte[]> records = HandshakePair.SplitRecords(Client.Output.Span);
        Client.OutputSent();
        return records;
    }

    /// <summary>Opens the client's sealed records of the handshake.</summary>
    public List<(ContentType Type, byte[] Content)> OpenOutput()
    {
        using var keys = new RecordKeys(Suite, _clientSecret!.Span);
        using var opener = new RecordOpener(keys);
        var contents = new List<(ContentType, byte[])>();
        foreach (byte[] record in TakeOutput().Where(record => record[0] == (byte)ContentType.ApplicationData))
        {
            byte[] content = opener.Open(record, out ContentType type).ToArray();
            contents.Add((type, content));
        }

        return contents;
    }

    /// <summary>Expects that the client ends the handshake with an alert, and that the alert is ready to be sent under the right keys.</summary>
    public void AssertAlert(AlertDescription expected, Action step)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(step);
        Assert.Equal(expected, e.Description);
        Assert.False(e.ReceivedFromPeer);
        AssertAlertInOutput(expected);
    }

    public void AssertAlertInOutput(AlertDescription expected)
    {
        Assert.Equal(HandshakeStatus.Failed, Client.Status);
        if (_sealer is null)
        {
            Assert.Equal(Tls.Record(ContentType.Alert, [2, (byte)expected]), TakeOutput()[^1]);
            return;
        }

        (ContentType type, byte[] content) = OpenOutput()[^1];
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([2, (byte)expected], content);
    }

    public void Dispose()
    {
        Client.PeerCertificate?.Dispose();
        Client.Dispose();
        _x25519.Dispose();
        _p256.Dispose();
        _sealer?.Dispose();
        _schedule?.Dispose();
        _serverSecret?.Dispose();
        _clientSecret?.Dispose();
    }

    private ClientHello TakeClientHello()
    {
        byte[] message = Tls.Concat([.. TakeOutput().Where(record => record[0] == (byte)ContentType.Handshake).Select(record => record[RecordHeader.Size..])]);
        _messages.Add(message);
        return ClientHello.Read(message);
    }

    private byte[] TranscriptHash()
    {
        using var transcript = new Transcript(Suite);
        foreach ((int index, byte[] message) in _messages.Index())
        {
            transcript.Append(message);
            if (index == 0 && _hasRetried)
            {
                transcript.ReplaceByMessageHash();
            }
        }

        return transcript.Current(new byte[CipherSuite.MaxHashLength]).ToArray();
    }
}
