using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The client's side of a TLS 1.2 handshake (RFC 5246 §7.3) with an ephemeral key agreement, from the ServerHello on.</summary>
internal sealed partial class Tls12Client : Tls12Flow
{
    private readonly ClientOffer _offer;
    private readonly byte[] _clientHello;
    private State _state;
    private SslApplicationProtocol _protocol;
    private bool _isResumed;
    private bool _promisesTicket;
    private bool _promisesStatus;
    private NamedGroup _group;
    private byte[] _serverShare = [];
    private ClientCertificateRequest? _request;
    private ClientSession? _ticket;

    public Tls12Client(TlsHandshake handshake, ClientOffer offer, byte[] clientHello)
        : base(handshake, isServer: false)
    {
        _offer = offer;
        _clientHello = clientHello;
    }

    private enum State
    {
        Certificate,
        StatusOrServerKeyExchange,
        ServerKeyExchange,
        RequestOrDone,
        Done,
        Verdict,
        Ticket,
        Finished,
    }

    public override bool IsResumed => _isResumed;

    protected override Action<string>? KeyLogSink => _offer.Options.KeyLog;

    public override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.Certificate, HandshakeType.Certificate):
                ReceiveCertificate(message);
                break;
            case (State.StatusOrServerKeyExchange, HandshakeType.CertificateStatus) when _promisesStatus:
                Handshake.PeerOcspResponse = CertificateMessage.ReadStatus12(message);
                Transcript!.Append(message);
                _state = State.ServerKeyExchange;
                break;
            case (State.StatusOrServerKeyExchange or State.ServerKeyExchange, HandshakeType.ServerKeyExchange):
                ReceiveServerKeyExchange(message);
                break;
            case (State.RequestOrDone, HandshakeType.CertificateRequest):
                _request = ClientCertificateRequest.Read12(message);
                Transcript!.Append(message);
                _state = State.Done;
                break;
            case (State.RequestOrDone or State.Done, HandshakeType.ServerHelloDone):
                ReceiveServerHelloDone(message);
                break;
            case (State.Ticket, HandshakeType.NewSessionTicket):
                ReceiveTicket(message);
                break;
            case (State.Finished, HandshakeType.Finished):
                ReceiveFinished(message);
                break;
            case (_, HandshakeType.HelloRequest) when message.Length == 4 && !Records.IsReceivingProtected:
                // RFC 5246 §7.4.1.1: we are at it already. It is not part of the transcript.
                Handshake.CountWarning();
                break;
            default:
                Unexpected(type);
                break;
        }
    }

    public override void Dispose()
    {
        _ticket?.Dispose();
        base.Dispose();
    }

    public void ReceiveServerHello(in ServerHello hello, ReadOnlySpan<byte> message)
    {
        CheckServerHello(hello);
        CheckExtensions(hello.Extensions);
        Suite = CipherSuite.Find(hello.CipherSuite)!;
        _offer.Random.CopyTo(Randoms, 0);
        hello.Random.CopyTo(Randoms.AsSpan(RandomLength));
        IsExtendedMasterSecret = hello.Extensions.Has(ExtensionType.ExtendedMasterSecret);
        if (hello.Extensions.Has(ExtensionType.RecordSizeLimit))
        {
            Records.MaxContent = RecordSizeLimit.ContentLimit(hello.Extensions.RecordSizeLimit, isTls13: false);
            Records.ReceiveLimit = _offer.RecordSizeLimit;
        }

        if (!hello.Extensions.Protocol.IsEmpty)
        {
            _protocol = Tls13Client.FindOfferedProtocol(_offer.Options, hello.Extensions.Protocol);
        }

        _promisesTicket = hello.Extensions.Has(ExtensionType.SessionTicket);
        _promisesStatus = hello.Extensions.Has(ExtensionType.StatusRequest);
        _isResumed = !hello.SessionIdEcho.IsEmpty && hello.SessionIdEcho.SequenceEqual(_offer.SessionId);
        Transcript = new Transcript12(Suite, keepMessages: !_isResumed && _offer.Options.SelectCertificate is not null);
        Transcript.Append(_clientHello);
        Transcript.Append(message);
        if (_isResumed)
        {
            Resume();
        }
        else
        {
            RequireExtendedMasterSecret();
            _state = State.Certificate;
        }
    }

    private void CheckServerHello(in ServerHello hello)
    {
        // RFC 8446 §4.1.3: the server could do better, so somebody has changed our offer.
        ReadOnlySpan<byte> tail = hello.Random[^ServerHello.DowngradeToTls12.Length..];
        if ((_offer.OffersTls13 && tail.SequenceEqual(ServerHello.DowngradeToTls12)) || tail.SequenceEqual(ServerHello.DowngradeToTls11))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The server speaks an older version than it could: somebody has changed the ClientHello (RFC 8446 §4.1.3).");
        }

        // A HelloRetryRequest is of TLS 1.3, whose supported_versions is not here.
        if (hello.IsHelloRetryRequest || hello.CompressionMethod != 0)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The ServerHello of TLS 1.2 is a retry, or chooses a compression.");
        }

        if (hello.SessionIdEcho.Length > 32)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A session id of more than 32 bytes.");
        }

        if (CipherSuite.Find(hello.CipherSuite) is not { IsTls13: false } suite || !_offer.Offers(suite))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server chooses the cipher suite {hello.CipherSuite}, which was not offered.");
        }
    }

    private void CheckExtensions(in ServerHelloExtensions extensions)
    {
        ClientHandshakeOptions options = _offer.Options;
        ReadOnlySpan<ExtensionType> allowed =
        [
            ExtensionType.RenegotiationInfo,
            ExtensionType.EcPointFormats,
            ExtensionType.ExtendedMasterSecret,

            // Servers in use send their groups back although no RFC lets them; it was offered, and says nothing we need.
            ExtensionType.SupportedGroups,
            options.ServerName.Length != 0 ? ExtensionType.ServerName : ExtensionType.RenegotiationInfo,
            options.RequestTickets || _offer.Session12 is not null ? ExtensionType.SessionTicket : ExtensionType.RenegotiationInfo,
            options.RequestOcspResponse ? ExtensionType.StatusRequest : ExtensionType.RenegotiationInfo,
            options.RecordSizeLimit is not null ? ExtensionType.RecordSizeLimit : ExtensionType.RenegotiationInfo,
            options.ApplicationProtocols.Count != 0 ? ExtensionType.ApplicationLayerProtocolNegotiation : ExtensionType.RenegotiationInfo,
        ];
        extensions.AllowOnly(allowed);

        if (!extensions.HasRenegotiationInfo && options.RequireSecureRenegotiation)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The server has no secure renegotiation (RFC 5746 §4.1).");
        }

        // RFC 5746 §3.4: nothing comes before a first handshake.
        if (!extensions.RenegotiationInfo.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The server claims to renegotiate (RFC 5746 §3.4).");
        }
    }

    private void RequireExtendedMasterSecret()
    {
        if (!IsExtendedMasterSecret && _offer.Options.RequireExtendedMasterSecret)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The server does not do the extended master secret (RFC 7627 §5.2).");
        }
    }

    // The abbreviated handshake (RFC 5246 §7.3, RFC 5077 §3.4).
    private void Resume()
    {
        if (_offer.Session12?.State is not { } state)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The server resumes a session that was not offered.");
        }

        if (state.Suite != Suite)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The server resumes a session with another cipher suite (RFC 5246 §7.4.1.3).");
        }

        // RFC 7627 §5.3
        if (state.IsExtendedMasterSecret != IsExtendedMasterSecret)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The server resumes a session with or without the extended master secret, unlike before (RFC 7627 §5.3).");
        }

        MasterSecret = SecretBytes.Lasting(state.Secret.Span);
        ExpandKeys();

        // The certificate that began the session is judged again: it may have expired, or been revoked.
        Handshake.SetPeerCertificate(state.PeerChain);
        _state = State.Verdict;
        Handshake.Status = HandshakeStatus.NeedsCertificateVerdict;
    }

    private void ReceiveCertificate(ReadOnlySpan<byte> message)
    {
        byte[][] chain = CertificateMessage.Read12(message, Handshake.Limits.MaxChainLength);
        if (chain.Length == 0)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "The server sent no certificate.");
        }

        Handshake.SetPeerCertificate(chain);
        Transcript!.Append(message);
        _state = State.StatusOrServerKeyExchange;
    }

    private void ReceiveServerKeyExchange(ReadOnlySpan<byte> message)
    {
        ServerKeyExchange exchange = ServerKeyExchange.Read(message);
        if (!_offer.Offers(exchange.Group) || exchange.Group == NamedGroup.X25519MLKem768)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"The server chooses the group {exchange.Group}, which was not offered for TLS 1.2.");
        }

        // The suite says what kind of key signs (RFC 8422 §2).
        if (SignatureAlgorithm.KindOf(exchange.Scheme) != Suite!.Signer)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, $"ServerKeyExchange is signed with {exchange.Scheme}, which does not go with {Suite.Id}.");
        }

        SignatureAlgorithm.Verify(
            Handshake.PeerSigner!, isTls13: false, exchange.Scheme, [.. Randoms, .. exchange.Parameters], exchange.Signature, "ServerKeyExchange");
        _group = exchange.Group;
        _serverShare = exchange.Share.ToArray();
        Transcript!.Append(message);
        _state = State.RequestOrDone;
    }

    private void ReceiveServerHelloDone(ReadOnlySpan<byte> message)
    {
        if (message.Length != 4)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A ServerHelloDone that is not empty.");
        }

        Transcript!.Append(message);
        Handshake.RequireRecordBoundary();
        _state = State.Verdict;
        Handshake.Status = HandshakeStatus.NeedsCertificateVerdict;
    }

    public override void PeerCertificateAccepted()
    {
        if (_isResumed)
        {
            ExpectEnd();
        }
        else
        {
            SendFlight();
        }
    }

    private void ExpectEnd()
    {
        _state = _promisesTicket ? State.Ticket : State.Finished;
        IsFinishedDue = !_promisesTicket;
    }

    private void ReceiveTicket(ReadOnlySpan<byte> message)
    {
        NewSessionTicket ticket = NewSessionTicket.Read12(message);
        Transcript!.Append(message);
        if (ticket.Ticket.Length is > 0 and <= ClientSession.MaxTicketLength && _offer.Options.RequestTickets)
        {
            SessionState state = CreateTemplate().Create(Suite!, MasterSecret!.Span, IsExtendedMasterSecret);
            _ticket = new ClientSession(state, ticket.Ticket, ticket.Lifetime, ageAdd: 0);
        }

        _state = State.Finished;
        IsFinishedDue = true;
    }

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        VerifyFinished(message);
        if (_isResumed)
        {
            SendFinished();
        }

        TlsSession12 session = CreateSession(_isResumed ? default : _group, _protocol, _isResumed, template: null);
        session.Ticket = _ticket;
        _ticket = null;
        Handshake.Complete(session);
    }

    private SessionTemplate CreateTemplate()
    {
        ClientHandshakeOptions options = _offer.Options;
        DateTimeOffset authenticatedAt = _isResumed ? _offer.Session12!.State.AuthenticatedAt : options.Clock.GetUtcNow();
        return new SessionTemplate(options.ServerName, authenticatedAt, Handshake.PeerChain, options.Clock);
    }
}
