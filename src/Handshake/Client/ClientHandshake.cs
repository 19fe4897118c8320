using System.Formats.Asn1;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The client's side of a TLS 1.3 handshake (RFC 8446 §2, §4).</summary>
public sealed class ClientHandshake : TlsHandshake
{
    // A second ClientHello is larger than the first by the cookie, and by what another group's share is larger.
    private const int MaxGrowthOfShare = 128;

    private readonly ClientHandshakeOptions _options;
    private readonly byte[] _random = RandomNumberGenerator.GetBytes(32);

    // Not empty: asks for middlebox compatibility (RFC 8446 §D.4).
    private readonly byte[] _sessionId = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _clientHello;
    private KeyExchange _exchange;
    private State _state = State.ServerHello;
    private bool _wasRetried;
    private CipherSuite? _suite;
    private Transcript? _transcript;
    private KeySchedule? _schedule;
    private SecretBytes? _serverSecret;
    private SecretBytes? _clientSecret;
    private SslApplicationProtocol _protocol;
    private byte[]? _certificateRequestContext;
    private byte[][] _chain = [];

    /// <summary>Starts a handshake: the ClientHello stands in <see cref="TlsHandshake.Output"/>.</summary>
    /// <param name="options">What to offer.</param>
    /// <exception cref="ArgumentException">No cipher suite or no group of the options is known.</exception>
    public ClientHandshake(ClientHandshakeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.CipherSuites.Any(suite => CipherSuite.Find(suite) is not null))
        {
            throw new ArgumentException("No cipher suite of the options is one that this library has.", nameof(options));
        }

        _options = options;
        NamedGroup first = options.Groups.FirstOrDefault(KeyExchange.IsSupported);
        if (first == default)
        {
            throw new ArgumentException("No group of the options is one that this library has.", nameof(options));
        }

        _exchange = KeyExchange.Create(first);
        using var writer = new WireWriter(512);
        ClientHelloWriter.Write(writer, options, _random, _sessionId, _exchange, cookie: default);
        _clientHello = writer.WrittenSpan.ToArray();
        Records.PlaintextVersion = ProtocolVersion.Tls10;
        Records.Send(ContentType.Handshake, _clientHello);
        Records.PlaintextVersion = ProtocolVersion.Tls12;
        HasStarted = true;
    }

    private enum State
    {
        ServerHello,
        EncryptedExtensions,
        CertificateOrRequest,
        Certificate,
        CertificateVerify,
        Finished,
    }

    /// <summary>
    /// The server's certificate, from <see cref="HandshakeStatus.NeedsCertificateVerdict"/> on: the server has proved
    /// that it has the key; whether the certificate may be trusted is the caller's verdict. The caller owns it.
    /// </summary>
    public X509Certificate2? ServerCertificate { get; private set; }

    /// <summary>The other certificates that the server sent, DER each, in its order.</summary>
    public IReadOnlyList<byte[]> OtherCertificates => _chain.Length > 1 ? _chain[1..] : [];

    /// <summary>
    /// Says that the server's certificate is trusted. To refuse it, call <see cref="TlsHandshake.Fail(AlertDescription)"/>.
    /// </summary>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="TlsHandshake.Output"/> has the alert.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for a verdict.</exception>
    public void AcceptServerCertificate()
    {
        Expect(HandshakeStatus.NeedsCertificateVerdict);
        Resume(() => _state = State.Finished);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _exchange.Dispose();
        _transcript?.Dispose();
        _schedule?.Dispose();
        _serverSecret?.Dispose();
        _clientSecret?.Dispose();
        base.Dispose(disposing);
    }

    private protected override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.ServerHello, HandshakeType.ServerHello):
                ReceiveServerHello(message);
                break;
            case (State.EncryptedExtensions, HandshakeType.EncryptedExtensions):
                ReceiveEncryptedExtensions(message);
                break;
            case (State.CertificateOrRequest, HandshakeType.CertificateRequest):
                ReceiveCertificateRequest(message);
                break;
            case (State.CertificateOrRequest or State.Certificate, HandshakeType.Certificate):
                ReceiveCertificate(message);
                break;
            case (State.CertificateVerify, HandshakeType.CertificateVerify):
                ReceiveCertificateVerify(message);
                break;
            case (State.Finished, HandshakeType.Finished):
                ReceiveFinished(message);
                break;
            default:
                Unexpected(type);
                break;
        }
    }

    private void ReceiveServerHello(ReadOnlySpan<byte> message)
    {
        ServerHello hello = ServerHello.Read(message);
        CheckServerHello(hello);
        if (hello.IsHelloRetryRequest)
        {
            Retry(hello, message);
            return;
        }

        if (hello.Group == default)
        {
            throw new TlsAlertException(AlertDescription.MissingExtension, "The ServerHello has no key_share.");
        }

        if (hello.Group != _exchange.Group)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server answers with a key share for {hello.Group}, which we sent none for.");
        }

        RequireRecordBoundary();
        StartTranscript(hello.CipherSuite);
        _transcript!.Append(message);

        Span<byte> sharedSecret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        int sharedLength = _exchange.Agree(hello.KeyExchange, sharedSecret);
        _schedule = new KeySchedule(_suite!);
        _schedule.EnterHandshake(sharedSecret[..sharedLength]);
        CryptographicOperations.ZeroMemory(sharedSecret);

        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> helloHash = _transcript.Current(hash);
        _serverSecret = _schedule.Derive("s hs traffic"u8, helloHash);
        _clientSecret = _schedule.Derive("c hs traffic"u8, helloHash);
        using (var serverKeys = new RecordKeys(_suite!, _serverSecret.Span))
        {
            Records.ProtectReceiving(serverKeys);
        }

        // From here on whatever we send is sealed, an alert included; only change_cipher_spec is not.
        using (var clientKeys = new RecordKeys(_suite!, _clientSecret.Span))
        {
            Records.ProtectSending(clientKeys);
        }

        // After a HelloRetryRequest it went out with the second ClientHello.
        Records.OwesChangeCipherSpec = !_wasRetried;

        _state = State.EncryptedExtensions;
    }

    // RFC 8446 §4.1.3
    private void CheckServerHello(in ServerHello hello)
    {
        // Without supported_versions it is another version; SSL 3.0 is refused under any disguise (RFC 8446 §D.5).
        if (hello.SelectedVersion == 0 || hello.LegacyVersion <= ProtocolVersion.Ssl30)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, "The server does not choose TLS 1.3.");
        }

        if (hello.SelectedVersion != ProtocolVersion.Tls13)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server chooses the version {hello.SelectedVersion:x4}, which was not offered.");
        }

        if (hello.LegacyVersion != ProtocolVersion.Tls12 || hello.CompressionMethod != 0 || !hello.SessionIdEcho.SequenceEqual(_sessionId))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The ServerHello's version, compression or session id is not the one that it must be.");
        }

        if (!_options.CipherSuites.Contains(hello.CipherSuite) || CipherSuite.Find(hello.CipherSuite) is null
            || (_suite is not null && hello.CipherSuite != _suite.Id))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server chooses the cipher suite {hello.CipherSuite}, which was not offered or not chosen before.");
        }
    }

    // RFC 8446 §4.1.4
    private void Retry(in ServerHello request, ReadOnlySpan<byte> message)
    {
        if (_wasRetried)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A second HelloRetryRequest.");
        }

        bool wantsGroup = request.Group != default;
        if ((wantsGroup && (request.Group == _exchange.Group || !_options.Groups.Contains(request.Group) || !KeyExchange.IsSupported(request.Group)))
            || (!wantsGroup && request.Cookie.IsEmpty))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A HelloRetryRequest that asks for nothing new, or for what was not offered.");
        }

        if (request.Cookie.Length > ushort.MaxValue - _clientHello.Length - MaxGrowthOfShare)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"A cookie of {request.Cookie.Length} bytes does not fit in a ClientHello.");
        }

        RequireRecordBoundary();
        _wasRetried = true;
        StartTranscript(request.CipherSuite);
        _transcript!.ReplaceByMessageHash();
        _transcript.Append(message);
        if (wantsGroup)
        {
            _exchange.Dispose();
            _exchange = KeyExchange.Create(request.Group);
        }

        using var writer = new WireWriter(512);
        ClientHelloWriter.Write(writer, _options, _random, _sessionId, _exchange, request.Cookie);
        _transcript.Append(writer.WrittenSpan);
        Records.Send(ContentType.ChangeCipherSpec, [1]);
        Records.Send(ContentType.Handshake, writer.WrittenSpan);
    }

    private void StartTranscript(TlsCipherSuite suite)
    {
        if (_transcript is null)
        {
            _suite = CipherSuite.Find(suite)!;
            _transcript = new Transcript(_suite);
            _transcript.Append(_clientHello);
        }
    }

    private void ReceiveEncryptedExtensions(ReadOnlySpan<byte> message)
    {
        EncryptedExtensions extensions = EncryptedExtensions.Read(message, isServerNameSent: _options.ServerName.Length != 0);
        if (!extensions.Protocol.IsEmpty)
        {
            _protocol = FindOfferedProtocol(extensions.Protocol);
        }

        _transcript!.Append(message);
        _state = State.CertificateOrRequest;
    }

    private SslApplicationProtocol FindOfferedProtocol(ReadOnlySpan<byte> name)
    {
        foreach (SslApplicationProtocol offered in _options.ApplicationProtocols)
        {
            if (offered.Protocol.Span.SequenceEqual(name))
            {
                return offered;
            }
        }

        throw _options.ApplicationProtocols.Count == 0
            ? new TlsAlertException(AlertDescription.UnsupportedExtension, "The server chooses an application protocol, and none was offered.")
            : new TlsAlertException(AlertDescription.IllegalParameter, "The server chooses an application protocol that was not offered.");
    }

    private void ReceiveCertificateRequest(ReadOnlySpan<byte> message)
    {
        _certificateRequestContext = Wire.CertificateRequest.ReadContext(message);
        _transcript!.Append(message);
        _state = State.Certificate;
    }

    private void ReceiveCertificate(ReadOnlySpan<byte> message)
    {
        _chain = CertificateMessage.Read(message);
        try
        {
            // The loader takes PEM as well, and bytes behind the end; the wire has DER alone (RFC 8446 §4.4.2).
            AsnDecoder.ReadSequence(_chain[0], AsnEncodingRules.DER, out _, out _, out int length);
            ServerCertificate = length == _chain[0].Length
                ? X509CertificateLoader.LoadCertificate(_chain[0])
                : throw new TlsAlertException(AlertDescription.BadCertificate, "There are bytes behind the end of the server's certificate.");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new TlsAlertException(AlertDescription.BadCertificate, "The server's certificate cannot be read.", e);
        }

        _transcript!.Append(message);
        _state = State.CertificateVerify;
    }

    private void ReceiveCertificateVerify(ReadOnlySpan<byte> message)
    {
        CertificateVerify verify = CertificateVerify.Read(message);
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> buffer = stackalloc byte[CertificateVerify.MaxContentLength];
        ReadOnlySpan<byte> content = CertificateVerify.ServerContent(_transcript!.Current(hash), buffer);
        SignatureAlgorithm.Verify(ServerCertificate!, verify.Scheme, content, verify.Signature);
        _transcript.Append(message);
        Status = HandshakeStatus.NeedsCertificateVerdict;
    }

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        Finished.Verify(_suite!, _serverSecret!.Span, _transcript!, message);
        RequireRecordBoundary();
        _transcript!.Append(message);

        _schedule!.EnterMaster();
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> finishedHash = _transcript.Current(hash);
        var session = new TlsSession(_suite!, _schedule.Derive("c ap traffic"u8, finishedHash), _schedule.Derive("s ap traffic"u8, finishedHash))
        {
            Group = _exchange.Group,
            ApplicationProtocol = _protocol,
        };
        SendFinalFlight();
        Complete(session);
    }

    private void SendFinalFlight()
    {
        using var writer = new WireWriter(256);
        if (_certificateRequestContext is not null)
        {
            // No certificate to show: the server decides whether it goes on without (RFC 8446 §4.4.2).
            CertificateMessage.WriteEmpty(writer, _certificateRequestContext);
            _transcript!.Append(writer.WrittenSpan);
        }

        int start = writer.Length;
        Finished.Write(writer, _suite!, _clientSecret!.Span, _transcript!);
        _transcript!.Append(writer.WrittenFrom(start));
        Records.Send(ContentType.Handshake, writer.WrittenSpan);
    }
}
