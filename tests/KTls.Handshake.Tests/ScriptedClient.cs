using System.Net.Security;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>A client that says to our server what a test wants, well or badly, under the right keys.</summary>
internal sealed class ScriptedClient : IDisposable
{
    private static readonly CipherSuite Suite = CipherSuite.Find(TlsCipherSuite.TLS_AES_128_GCM_SHA256)!;

    private readonly List<byte[]> _messages = [];
    private KeySchedule? _schedule;
    private RecordSealer? _sealer;
    private SecretBytes? _clientSecret;
    private bool _wasRetried;

    public ScriptedClient(ServerHandshakeOptions? options = null)
    {
        Options = options ?? new ServerHandshakeOptions { Protocols = System.Security.Authentication.SslProtocols.Tls13, Credential = TestCertificates.Ecdsa, CipherSuites = [Suite.Id] };
        Hello = new ClientHelloMessage((NamedGroup.X25519, X25519.PublicShare.ToArray()));
    }

    /// <summary>Asks for one group and has a share for another: the server must send a HelloRetryRequest.</summary>
    public static ScriptedClient ToBeRetried() => new(new ServerHandshakeOptions
    {
        Credential = TestCertificates.Ecdsa,
        CipherSuites = [Suite.Id],
        Groups = [NamedGroup.Secp256r1],
        ApplicationProtocols = [SslApplicationProtocol.Http2],
    });

    public ServerHandshake Server { get; } = new();

    public ServerHandshakeOptions Options { get; }

    public KeyExchange X25519 { get; } = KeyExchange.Create(NamedGroup.X25519);

    public KeyExchange P256 { get; } = KeyExchange.Create(NamedGroup.Secp256r1);

    public ClientHelloMessage Hello { get; }

    /// <summary>The pre-shared keys that <see cref="Hello"/> offers: tickets, and the secrets that their binders are made of.</summary>
    public List<(byte[] Ticket, byte[] Key)> PreSharedKeys { get; } = [];

    /// <summary>The one of them that the server has chosen, as the test expects it.</summary>
    public byte[] ChosenKey { get; set; } = [];

    /// <summary>What the server's alert would be sealed with once it has sent its flight; else null.</summary>
    public RecordKeys? ServerApplicationKeys { get; private set; }

    /// <summary>The messages of the server's flight after ServerHello.</summary>
    public List<byte[]> ServerFlight { get; } = [];

    /// <summary>Sends a record as it is, and answers the server's question for options.</summary>
    public void Send(byte[] record)
    {
        Server.ReceiveRecord([.. record]);
        if (Server.Status == HandshakeStatus.NeedsServerOptions)
        {
            Server.Accept(Options);
        }
    }

    public void SendPlain(ContentType type, byte[] content) => Send(Tls.Record(type, content));

    /// <summary>Sends <see cref="Hello"/> and notes it for the transcript.</summary>
    public void SendHello()
    {
        byte[] message = HelloWithBinders();
        _messages.Add(message);
        SendPlain(ContentType.Handshake, message);
    }

    /// <summary>The first half of a handshake with a HelloRetryRequest; <see cref="Hello"/> becomes the right second one.</summary>
    public void GetRetried()
    {
        SendHello();
        List<byte[]> records = TakeOutput();
        _messages.Add(records[0][RecordHeader.Size..]);
        _wasRetried = true;
        Hello.SetShares((NamedGroup.Secp256r1, P256.PublicShare.ToArray()));
    }

    /// <summary>Reads the server's flight; from then on <see cref="SendSealed(byte[])"/> has the handshake keys.</summary>
    public void ReadFlight()
    {
        List<byte[]> records = TakeOutput();
        byte[] serverHello = records[0][RecordHeader.Size..];
        _messages.Add(serverHello);
        KeyExchange exchange = _wasRetried ? P256 : X25519;
        Span<byte> secret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        int length = exchange.Agree(ServerHello.Read(serverHello).Extensions.KeyExchange, secret);
        _schedule = new KeySchedule(Suite, ChosenKey);
        _schedule.EnterHandshake(secret[..length]);
        _clientSecret = _schedule.Derive("c hs traffic"u8, TranscriptHash());
        using SecretBytes serverSecret = _schedule.Derive("s hs traffic"u8, TranscriptHash());
        using var clientKeys = new RecordKeys(Suite, _clientSecret.Span);
        _sealer = new RecordSealer(clientKeys);

        using var serverKeys = new RecordKeys(Suite, serverSecret.Span);
        using var opener = new RecordOpener(serverKeys);
        foreach (byte[] record in records.Skip(1).Where(record => record[0] == (byte)ContentType.ApplicationData))
        {
            ServerFlight.AddRange(Tls.SplitMessages(opener.Open(record, out _).ToArray()));
        }

        _messages.AddRange(ServerFlight);
        _schedule.EnterMaster();
        using SecretBytes applicationSecret = _schedule.Derive("s ap traffic"u8, TranscriptHash());
        ServerApplicationKeys = new RecordKeys(Suite, applicationSecret.Span);
    }

    /// <summary>A handshake that lacks nothing but our Finished.</summary>
    public static ScriptedClient BeforeFinished()
    {
        var client = new ScriptedClient();
        client.SendHello();
        client.ReadFlight();
        return client;
    }

    public void SendSealed(params byte[][] messages) => SendSealed(ContentType.Handshake, Tls.Concat(messages));

    public void SendSealed(ContentType type, byte[] content) => Send(Seal(type, content));

    public byte[] Seal(ContentType type, byte[] content)
    {
        byte[] record = new byte[content.Length + _sealer!.Overhead];
        _sealer!.Seal(type, content, record);
        return record;
    }

    /// <summary>The right Finished.</summary>
    public byte[] Finished()
    {
        byte[] verifyData = new byte[Suite.HashLength];
        KeySchedule.FinishedVerifyData(Suite, _clientSecret!.Span, TranscriptHash(), verifyData);
        return Tls.Message(HandshakeType.Finished, verifyData);
    }

    /// <summary>Sends a message under the handshake keys and notes it for the transcript.</summary>
    public void SendNoted(byte[] message)
    {
        _messages.Add(message);
        SendSealed(message);
    }

    public static byte[] Certificate(params byte[][] chain) => ScriptedServer.Certificate(chain);

    /// <summary>A CertificateVerify for what was sent so far, or one that the test spoils.</summary>
    public byte[] CertificateVerify(CertificateCredential credential, SignatureScheme scheme, bool asServer = false, SignatureScheme? named = null, byte[]? content = null) => Tls.Message(
        HandshakeType.CertificateVerify,
        Tls.U16((int)(named ?? scheme)),
        Tls.Vector16(credential.Sign(scheme, content ?? Wire.CertificateVerify.Content(asServer, TranscriptHash(), new byte[Wire.CertificateVerify.MaxContentLength]))));

    public RecordKeys HandshakeKeys() => new(Suite, _clientSecret!.Span);

    public List<byte[]> TakeOutput()
    {
        List<byte[]> records = HandshakePair.SplitRecords(Server.Output.Span);
        Server.OutputSent();
        return records;
    }

    /// <summary>Expects that the server ends the handshake with an alert, and that the alert is ready to be sent under the right keys.</summary>
    public void AssertAlert(AlertDescription expected, Action step)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(step);
        Assert.Equal(expected, e.Description);
        Assert.False(e.ReceivedFromPeer);
        Assert.Equal(HandshakeStatus.Failed, Server.Status);
        byte[] alert = TakeOutput()[^1];
        if (ServerApplicationKeys is not null)
        {
            using var opener = new RecordOpener(ServerApplicationKeys);
            Assert.Equal([2, (byte)expected], opener.Open(alert, out ContentType type).ToArray());
            Assert.Equal(ContentType.Alert, type);
        }
        else
        {
            Assert.Equal(Tls.Record(ContentType.Alert, [2, (byte)expected]), alert);
        }
    }

    public void Dispose()
    {
        Server.Dispose();
        X25519.Dispose();
        P256.Dispose();
        _sealer?.Dispose();
        _schedule?.Dispose();
        _clientSecret?.Dispose();
        ServerApplicationKeys?.Dispose();
    }

    // The binders cover the ClientHello up to themselves (RFC 8446 §4.2.11.2).
    private byte[] HelloWithBinders()
    {
        if (PreSharedKeys.Count == 0)
        {
            return Hello.ToMessage();
        }

        byte[] identities = Tls.Vector16([.. PreSharedKeys.Select(key => Tls.Concat(Tls.Vector16(key.Ticket), new byte[4]))]);
        byte[] binders = Tls.Vector16([.. PreSharedKeys.Select(_ => Tls.Vector8(new byte[Suite.HashLength]))]);
        Hello.Set(ExtensionType.PreSharedKey, identities, binders);
        byte[] message = Hello.ToMessage();
        byte[] hash = TranscriptHash(message[..^binders.Length]);
        for (int i = 0; i < PreSharedKeys.Count; i++)
        {
            using var schedule = new KeySchedule(Suite, PreSharedKeys[i].Key);
            int start = message.Length - binders.Length + 2 + (i * (1 + Suite.HashLength)) + 1;
            schedule.Binder(hash, message.AsSpan(start, Suite.HashLength));
        }

        return message;
    }

    private byte[] TranscriptHash(params byte[] last)
    {
        using var transcript = new Transcript(Suite);
        foreach ((int index, byte[] message) in _messages.Index())
        {
            transcript.Append(message);
            if (index == 0 && _wasRetried)
            {
                transcript.ReplaceByMessageHash();
            }
        }

        transcript.Append(last);
        return transcript.Current(new byte[CipherSuite.MaxHashLength]).ToArray();
    }
}
