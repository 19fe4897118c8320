using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The server's side of a TLS 1.2 handshake (RFC 5246 §7.3) with an ephemeral key agreement, from the ClientHello on.</summary>
internal sealed partial class Tls12Server : Tls12Flow
{
    // RFC 5746 §3.3
    private const ushort RenegotiationScsv = 0x00ff;

    private readonly ServerHandshakeOptions _options;
    private State _state;
    private ClientHello _hello = null!;
    private NamedGroup _group;
    private SignatureScheme _scheme;
    private KeyExchange? _exchange;
    private byte[] _parameters = [];
    private SslApplicationProtocol _protocol;
    private SessionState? _resumed;

    public Tls12Server(ServerHandshake handshake, ServerHandshakeOptions options)
        : base(handshake, isServer: true) => _options = options;

    private enum State
    {
        Certificate,
        ClientKeyExchange,
        CertificateVerify,
        Finished,
    }

    public override bool IsResumed => _resumed is not null;

    protected override Action<string>? KeyLogSink => _options.KeyLog;

    public void Start(ClientHello hello)
    {
        _hello = hello;
        CheckForm(hello);
        _protocol = ServerNegotiation.SelectApplicationProtocol(hello, _options.ApplicationProtocols);
        RequireExtendedMasterSecret();
        hello.Random.CopyTo(Randoms);
        FillRandom(Randoms.AsSpan(RandomLength));
        if (_options.RecordSizeLimit is { } limit && hello.RecordSizeLimit is { } clients)
        {
            Records.MaxContent = RecordSizeLimit.ContentLimit(clients, isTls13: false);
            Records.ReceiveLimit = RecordSizeLimit.ToWire(limit, isTls13: false);
        }

        if (hello.SessionTicket is { IsEmpty: false } ticket
            && ServerTickets.TryOpen(ticket.Span, _options, hello, isTls13: false, ClockReading.Of(_options.Clock)) is { } state && CanResume(state))
        {
            Resume();
        }
        else
        {
            SendFlight();
        }
    }

    public override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.Certificate, HandshakeType.Certificate):
                ReceiveCertificate(message);
                break;
            case (State.ClientKeyExchange, HandshakeType.ClientKeyExchange):
                ReceiveClientKeyExchange(message);
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

    public override void Dispose()
    {
        _exchange?.Dispose();
        _resumed?.Dispose();
        base.Dispose();
    }

    private static void CheckForm(ClientHello hello)
    {
        if (!hello.CompressionMethods.Contains((byte)0))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The ClientHello does not offer to go without compression (RFC 5246 §7.4.1.2).");
        }

        // RFC 5746 §3.6: nothing to renegotiate.
        if (!hello.RenegotiationInfo.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "A first ClientHello that claims to renegotiate (RFC 5746 §3.6).");
        }

        // RFC 8422 §5.1.2
        if (hello.HasPointFormats && !hello.PointFormats.Contains((byte)0))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The client does not take uncompressed points (RFC 8422 §5.1.2).");
        }
    }

    private void FillRandom(Span<byte> random)
    {
        // Drawn for itself: in a resumption nothing else of ours is new, and keys that come again would be used with the same nonces.
        RandomNumberGenerator.Fill(random);
        if ((SupportedParameters.WithSuites(_options.Protocols, _options.CipherSuites) & SslProtocols.Tls13) != 0)
        {
            // RFC 8446 §4.1.3: so that the client notices when somebody has hidden its TLS 1.3 from us.
            ServerHello.DowngradeToTls12.CopyTo(random[^ServerHello.DowngradeToTls12.Length..]);
        }
    }

    // RFC 7627 §5.3: a session with an extended master secret never goes on without.
    private bool CanResume(SessionState state)
    {
        if (state.IsExtendedMasterSecret && !_hello.OffersExtendedMasterSecret)
        {
            state.Dispose();
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client resumes a session without the extended master secret that it had (RFC 7627 §5.3).");
        }

        if (state.IsExtendedMasterSecret == _hello.OffersExtendedMasterSecret && _hello.Offers(state.Suite.Id))
        {
            _resumed = state;
            return true;
        }

        state.Dispose();
        return false;
    }

    private void RequireExtendedMasterSecret()
    {
        if (!_hello.OffersExtendedMasterSecret && _options.RequireExtendedMasterSecret)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client does not offer the extended master secret (RFC 7627 §5.3).");
        }

        IsExtendedMasterSecret = _hello.OffersExtendedMasterSecret;
    }

    private void ReceiveCertificate(ReadOnlySpan<byte> message)
    {
        byte[][] chain = CertificateMessage.Read12(message, Handshake.Limits.MaxChainLength);
        Transcript!.Append(message);
        if (chain.Length == 0)
        {
            Transcript.DropMessages();
        }
        else
        {
            Handshake.SetPeerCertificate(chain);
        }

        _state = State.ClientKeyExchange;
    }

    private void ReceiveClientKeyExchange(ReadOnlySpan<byte> message)
    {
        Span<byte> secret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        try
        {
            int length = _exchange!.Agree(ClientKeyExchange.Read(message), secret);
            Transcript!.Append(message);
            DeriveKeys(secret[..length]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        _exchange.Dispose();
        if (Handshake.PeerCertificate is not null)
        {
            _state = State.CertificateVerify;
        }
        else
        {
            ExpectFinished();
        }
    }

    private void ReceiveCertificateVerify(ReadOnlySpan<byte> message)
    {
        CertificateVerify verify = CertificateVerify.Read(message);
        SignatureAlgorithm.Verify(Handshake.PeerSigner!, isTls13: false, verify.Scheme, Transcript!.Messages, verify.Signature, "CertificateVerify");
        Transcript.DropMessages();
        Transcript.Append(message);
        ExpectFinished();
    }

    private void ExpectFinished()
    {
        // The keys change here: no message goes on across it.
        Handshake.RequireRecordBoundary();
        _state = State.Finished;
        IsFinishedDue = true;
    }

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        VerifyFinished(message);
        if (!AsksForVerdict(_options.RequestClientCertificate, _resumed))
        {
            Complete();
        }
    }

    public override void PeerCertificateAccepted() => Complete();

    private void Complete()
    {
        if (_resumed is null)
        {
            SendTicket();
            SendFinished();
        }

        Handshake.Complete(CreateSession(_group, _protocol, _resumed is not null, template: null));
    }
}
