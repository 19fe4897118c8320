using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The client's side of a TLS 1.3 handshake (RFC 8446 §2, §4), from the ServerHello on.</summary>
internal sealed partial class Tls13Client : HandshakeFlow
{
    // A second ClientHello is larger than the first by the cookie, and by what another group's share is larger.
    private const int MaxGrowthOfShare = 2048;

    private readonly ClientOffer _offer;
    private readonly byte[] _clientHello;
    private State _state = State.ServerHello;
    private bool _wasRetried;
    private CipherSuite? _suite;
    private Transcript? _transcript;
    private KeySchedule? _schedule;
    private NamedGroup _group;
    private bool _isResumed;
    private SecretBytes? _serverSecret;
    private SecretBytes? _clientSecret;
    private SslApplicationProtocol _protocol;
    private ClientCertificateRequest? _request;

    public Tls13Client(TlsHandshake handshake, ClientOffer offer, byte[] clientHello)
        : base(handshake)
    {
        _offer = offer;
        _clientHello = clientHello;
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

    public override bool IsTls13 => true;

    public override bool IsResumed => _isResumed;

    public override bool WasRetried => _wasRetried;

    public override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.ServerHello, HandshakeType.ServerHello):
                ReceiveServerHello(ServerHello.Read(message), message);
                break;
            case (State.EncryptedExtensions, HandshakeType.EncryptedExtensions):
                ReceiveEncryptedExtensions(message);
                break;
            case (State.CertificateOrRequest, HandshakeType.CertificateRequest):
                _request = ClientCertificateRequest.Read(message);
                _transcript!.Append(message);
                _state = State.Certificate;
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

    public override void PeerCertificateAccepted() => _state = State.Finished;

    public override void Dispose()
    {
        _transcript?.Dispose();
        _schedule?.Dispose();
        _serverSecret?.Dispose();
        _clientSecret?.Dispose();
        _writer?.Dispose();
        _session?.Dispose();
    }

    public void ReceiveServerHello(in ServerHello hello, ReadOnlySpan<byte> message)
    {
        CheckServerHello(hello);
        if (hello.IsHelloRetryRequest)
        {
            hello.Extensions.AllowOnly(ExtensionType.SupportedVersions, ExtensionType.KeyShare, ExtensionType.Cookie);
            Retry(hello, message);
            return;
        }

        ServerHelloExtensions extensions = hello.Extensions;
        extensions.AllowOnly(ExtensionType.SupportedVersions, ExtensionType.KeyShare, _offer.Session13 is null ? ExtensionType.KeyShare : ExtensionType.PreSharedKey);
        if (!extensions.Has(ExtensionType.KeyShare))
        {
            throw new TlsAlertException(AlertDescription.MissingExtension, "The ServerHello has no key_share.");
        }

        KeyExchange exchange = _offer.FindShare(extensions.Group)
            ?? throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server answers with a key share for {extensions.Group}, which we sent none for.");
        Handshake.RequireRecordBoundary();
        StartTranscript(hello.CipherSuite);
        _transcript!.Append(message);
        _group = extensions.Group;
        _isResumed = extensions.Has(ExtensionType.PreSharedKey);
        StartSchedule(extensions);

        Span<byte> sharedSecret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        try
        {
            int sharedLength = exchange.Agree(extensions.KeyExchange, sharedSecret);
            _schedule!.EnterHandshake(sharedSecret[..sharedLength]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(sharedSecret);
        }

        ProtectHandshake();
        _state = State.EncryptedExtensions;
    }

    // RFC 8446 §4.1.3
    private void CheckServerHello(in ServerHello hello)
    {
        // The second one must choose TLS 1.3 as the first did (RFC 8446 §4.1.4).
        if (hello.Extensions.SelectedVersion != ProtocolVersion.Tls13)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "After a HelloRetryRequest the server chooses another version.");
        }

        if (hello.LegacyVersion != ProtocolVersion.Tls12 || hello.CompressionMethod != 0 || !hello.SessionIdEcho.SequenceEqual(_offer.SessionId))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The ServerHello's version, compression or session id is not the one that it must be.");
        }

        if (CipherSuite.Find(hello.CipherSuite) is not { IsTls13: true } suite || !_offer.Offers(suite) || (_suite is not null && suite != _suite))
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

        ServerHelloExtensions extensions = request.Extensions;
        bool wantsGroup = extensions.Has(ExtensionType.KeyShare);
        if ((wantsGroup && (_offer.FindShare(extensions.Group) is not null || !_offer.Offers(extensions.Group)))
            || (!wantsGroup && extensions.Cookie.IsEmpty))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A HelloRetryRequest that asks for nothing new, or for what was not offered.");
        }

        if (extensions.Cookie.Length > ushort.MaxValue - _clientHello.Length - MaxGrowthOfShare)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"A cookie of {extensions.Cookie.Length} bytes does not fit in a ClientHello.");
        }

        Handshake.RequireRecordBoundary();
        _wasRetried = true;
        StartTranscript(request.CipherSuite);
        _transcript!.ReplaceByMessageHash();
        _transcript.Append(message);
        if (wantsGroup)
        {
            _offer.ReplaceShare(extensions.Group);
        }

        // A session of another hash cannot go on (RFC 8446 §4.2.11).
        if (_offer.Session13 is { } session && session.State.Suite.Hash != _suite!.Hash)
        {
            _offer.DropSession();
        }

        _offer.UpdateTime();
        using var writer = new WireWriter(2048);
        int binders = ClientHelloWriter.Write(writer, _offer, extensions.Cookie);
        int covered = binders >= 0 ? binders : writer.Length;
        _transcript.Append(writer.WrittenSpan[..covered]);
        if (binders >= 0)
        {
            Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
            FillBinder(_offer.Session13!, _transcript.Current(hash), writer.WrittenFrom(binders));
            _transcript.Append(writer.WrittenFrom(binders));
        }

        Records.Send(ContentType.ChangeCipherSpec, [1]);
        Records.Send(ContentType.Handshake, writer.WrittenSpan);
    }

    /// <summary>Writes the binder into the list of binders that ends a ClientHello (RFC 8446 §4.2.11.2).</summary>
    public static void FillBinder(ClientSession session, ReadOnlySpan<byte> hash, Span<byte> binders)
    {
        const int ListLength = 2;
        const int BinderLength = 1;
        using var schedule = new KeySchedule(session.State.Suite, session.State.Secret.Span);
        schedule.Binder(hash, binders[(ListLength + BinderLength)..]);
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

    private void StartSchedule(in ServerHelloExtensions extensions)
    {
        if (!_isResumed)
        {
            _schedule = new KeySchedule(_suite!);
            return;
        }

        SessionState state = _offer.Session13!.State;
        if (extensions.SelectedIdentity != 0 || state.Suite.Hash != _suite!.Hash)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The server takes a pre-shared key that was not offered, or with a suite of another hash (RFC 8446 §4.2.11).");
        }

        _schedule = new KeySchedule(_suite!, state.Secret.Span);
    }

    private void ProtectHandshake()
    {
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> helloHash = _transcript!.Current(hash);
        _serverSecret = _schedule!.Derive("s hs traffic"u8, helloHash);
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

        KeyLog.Write(_offer.Options.KeyLog, "SERVER_HANDSHAKE_TRAFFIC_SECRET", _offer.Random, _serverSecret.Span);
        KeyLog.Write(_offer.Options.KeyLog, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", _offer.Random, _clientSecret.Span);
    }

    private void ReceiveEncryptedExtensions(ReadOnlySpan<byte> message)
    {
        ClientHandshakeOptions options = _offer.Options;
        EncryptedExtensions extensions = EncryptedExtensions.Read(
            message, isServerNameSent: options.ServerName.Length != 0, isRecordSizeLimitSent: options.RecordSizeLimit is not null);
        if (!extensions.Protocol.IsEmpty)
        {
            _protocol = FindOfferedProtocol(options, extensions.Protocol);
        }

        if (extensions.RecordSizeLimit is { } limit)
        {
            Records.MaxContent = RecordSizeLimit.ContentLimit(limit, isTls13: true);
            Records.ReceiveLimit = _offer.RecordSizeLimit;
        }

        _transcript!.Append(message);
        if (_isResumed)
        {
            // The certificate that began the session is judged again: it may have expired, or been revoked.
            byte[][] chain = _offer.Session13!.State.PeerChain;
            Handshake.SetPeerCertificate(chain);
            Handshake.Status = HandshakeStatus.NeedsCertificateVerdict;
        }
        else
        {
            _state = State.CertificateOrRequest;
        }
    }

    /// <summary>The offered protocol that a server chose.</summary>
    /// <exception cref="TlsAlertException">It was not offered.</exception>
    public static SslApplicationProtocol FindOfferedProtocol(ClientHandshakeOptions options, ReadOnlySpan<byte> name)
    {
        foreach (SslApplicationProtocol offered in options.ApplicationProtocols)
        {
            if (offered.Protocol.Span.SequenceEqual(name))
            {
                return offered;
            }
        }

        throw options.ApplicationProtocols.Count == 0
            ? new TlsAlertException(AlertDescription.UnsupportedExtension, "The server chooses an application protocol, and none was offered.")
            : new TlsAlertException(AlertDescription.IllegalParameter, "The server chooses an application protocol that was not offered.");
    }

    private void ReceiveCertificate(ReadOnlySpan<byte> message)
    {
        byte[][] chain = CertificateMessage.Read(message, Handshake.Limits.MaxChainLength, _offer.Options.RequestOcspResponse, out byte[] ocspResponse);
        if (chain.Length == 0)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "The server sent no certificate (RFC 8446 §4.4.2.4).");
        }

        Handshake.SetPeerCertificate(chain);
        Handshake.PeerOcspResponse = ocspResponse;
        _transcript!.Append(message);
        _state = State.CertificateVerify;
    }

    private void ReceiveCertificateVerify(ReadOnlySpan<byte> message)
    {
        CertificateVerify.Verify(isServer: true, Handshake.PeerSigner!, _transcript!, message);
        _transcript!.Append(message);
        Handshake.Status = HandshakeStatus.NeedsCertificateVerdict;
    }
}
