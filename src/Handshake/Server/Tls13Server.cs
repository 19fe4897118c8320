using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The server's side of a TLS 1.3 handshake (RFC 8446 §2, §4), from the ClientHello on.</summary>
internal sealed partial class Tls13Server : HandshakeFlow
{
    private const int RandomLength = 32;

    private readonly ServerHandshake _handshake;
    private readonly ServerHandshakeOptions _options;
    private readonly WireWriter _writer = new(4096);
    private State _state;
    private ClientHello _hello = null!;
    private CipherSuite? _suite;
    private Transcript? _transcript;
    private KeySchedule? _schedule;
    private NamedGroup _retryGroup;
    private NamedGroup _group;
    private SslApplicationProtocol _protocol;
    private SignatureScheme _scheme;
    private int _flightStart;
    private SessionState? _resumed;
    private SecretBytes? _serverHandshakeSecret;
    private SecretBytes? _clientHandshakeSecret;
    private TlsSession13? _session;

    public Tls13Server(ServerHandshake handshake, ServerHandshakeOptions options)
        : base(handshake)
    {
        _handshake = handshake;
        _options = options;
    }

    private enum State
    {
        SecondClientHello,
        Certificate,
        CertificateVerify,
        Finished,
    }

    public override bool IsTls13 => true;

    public override bool IsResumed => _resumed is not null;

    public override bool WasRetried => _retryGroup != default;

    public void Start(ClientHello hello)
    {
        CheckForm(hello);
        _hello = hello;
        _suite = ServerNegotiation.SelectSuite(hello, _options, isTls13: true)
            ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no cipher suite that this server has.");
        _transcript = new Transcript(_suite);
        if (TrySelectShare(hello, out NamedGroup group, out ReadOnlySpan<byte> share) && !IsHybridMissed(group))
        {
            SendFlight(group, share);
        }
        else
        {
            SendHelloRetryRequest();
        }
    }

    public override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.SecondClientHello, HandshakeType.ClientHello):
                ReceiveSecondClientHello(ClientHello.Read(message));
                break;
            case (State.Certificate, HandshakeType.Certificate):
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

    public override void Dispose()
    {
        _writer.Dispose();
        _transcript?.Dispose();
        _schedule?.Dispose();
        _resumed?.Dispose();
        _serverHandshakeSecret?.Dispose();
        _clientHandshakeSecret?.Dispose();
        _session?.Dispose();
    }

    private static void CheckForm(ClientHello hello)
    {
        // SSL 3.0 is refused under any disguise (RFC 8446 §D.5).
        if (!hello.OffersTls13 || hello.LegacyVersion <= ProtocolVersion.Ssl30)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, "The client does not offer TLS 1.3.");
        }

        // RFC 8446 §4.1.2: one byte, zero.
        if (!hello.CompressionMethods.SequenceEqual((ReadOnlySpan<byte>)[0]))
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A TLS 1.3 ClientHello offers compression.");
        }

        // RFC 8446 §9.2. A pre-shared key alone could do without, but we do not use it without a key agreement.
        if (!hello.HasSignatureSchemes || !hello.HasSupportedGroups || !hello.HasKeyShare)
        {
            throw new TlsAlertException(AlertDescription.MissingExtension, "The ClientHello lacks signature_algorithms, supported_groups or key_share.");
        }

        // RFC 8446 §4.2.9
        if (hello.HasPreSharedKey && !hello.HasPskModes)
        {
            throw new TlsAlertException(AlertDescription.MissingExtension, "The ClientHello has pre_shared_key without psk_key_exchange_modes.");
        }
    }

    // The best of our groups that the client has sent a share for.
    private bool TrySelectShare(ClientHello hello, out NamedGroup group, out ReadOnlySpan<byte> share)
    {
        group = default;
        share = default;
        int best = int.MaxValue;
        uint seen = 0;
        var reader = new WireReader(hello.KeyShares);
        while (!reader.IsEmpty)
        {
            KeyShareEntry entry = KeyShareEntry.Read(ref reader);
            int rank = Rank(entry.Group);
            if (rank < 0)
            {
                continue;
            }

            // RFC 8446 §4.2.8: one share a group, for groups of supported_groups only.
            uint bit = 1u << Array.IndexOf(KeyExchange.Groups, entry.Group);
            if ((seen & bit) != 0 || !hello.Offers(entry.Group))
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, $"The key share for {entry.Group} comes twice, or without the group.");
            }

            seen |= bit;
            if (rank < best)
            {
                best = rank;
                group = entry.Group;
                share = entry.KeyExchange;
            }
        }

        return best != int.MaxValue;
    }

    // Traffic that is recorded today must not be open to a later quantum computer: a client that has the hybrid is asked for it, one
    // round trip more, unless the options prefer another group that both have.
    private bool IsHybridMissed(NamedGroup group) =>
        group != NamedGroup.X25519MLKem768 && ServerNegotiation.SelectGroup(_hello, _options.Groups, isTls13: true) == NamedGroup.X25519MLKem768;

    private int Rank(NamedGroup group)
    {
        IReadOnlyList<NamedGroup> groups = _options.Groups;
        for (int i = 0; i < groups.Count; i++)
        {
            if (groups[i] == group && KeyExchange.IsSupported(group))
            {
                return i;
            }
        }

        return -1;
    }

    private void SendHelloRetryRequest()
    {
        _retryGroup = ServerNegotiation.SelectGroup(_hello, _options.Groups, isTls13: true)
            ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no group that this server has.");
        _transcript!.Append(_hello.Message);
        _transcript.ReplaceByMessageHash();
        ServerHello.WriteHelloRetryRequest(_writer, _hello.SessionId, _suite!.Id, _retryGroup);
        _transcript.Append(_writer.WrittenSpan);
        Records.Send(ContentType.Handshake, _writer.WrittenSpan);
        SendChangeCipherSpec();
        Handshake.RequireRecordBoundary();
        SkipEarlyData();
        _state = State.SecondClientHello;
    }

    private void SkipEarlyData()
    {
        if (_hello.OffersEarlyData)
        {
            Records.EarlyDataToSkip = Handshake.Limits.MaxSkippedEarlyData;
        }
    }

    private void ReceiveSecondClientHello(ClientHello second)
    {
        CheckForm(second);

        // RFC 8446 §4.1.2: nothing else may change; what we based our choice on is compared.
        if (!second.Random.SequenceEqual(_hello.Random)
            || !second.SessionId.SequenceEqual(_hello.SessionId)
            || !second.CipherSuites.SequenceEqual(_hello.CipherSuites)
            || !second.Groups.SequenceEqual(_hello.Groups)
            || !second.SignatureSchemes.SequenceEqual(_hello.SignatureSchemes)
            || !second.Protocols.SequenceEqual(_hello.Protocols)
            || second.ServerName != _hello.ServerName
            || second.OffersEarlyData
            || second.KeyShares.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The second ClientHello differs from the first in more than it may, or has no key share (RFC 8446 §4.1.2).");
        }

        var reader = new WireReader(second.KeyShares);
        KeyShareEntry entry = KeyShareEntry.Read(ref reader);
        if (entry.Group != _retryGroup || !reader.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "The second ClientHello does not have just the key share that was asked for.");
        }

        Records.EarlyDataToSkip = 0;
        _hello = second;
        _handshake.ClientHello = second;
        SendFlight(entry.Group, entry.KeyExchange);
    }

    // RFC 8446 §4.2.11: the first pre-shared key that we take. The binder says that the client has it, too.
    private ushort? SelectPreSharedKey()
    {
        const byte PskDheKe = 1;
        if (_options.Tickets is null || !_hello.HasPreSharedKey || !_hello.PskModes.Contains(PskDheKe))
        {
            _transcript!.Append(_hello.Message);
            return null;
        }

        _transcript!.Append(_hello.Message[.._hello.BindersOffset]);
        ushort? selected = null;
        var reading = ClockReading.Of(_options.Clock);
        var offered = new OfferedPsks(_hello.PreSharedKeys);
        for (ushort i = 0; i < Handshake.Limits.MaxPreSharedKeys && offered.TryRead(out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder); i++)
        {
            SessionState? state = ServerTickets.TryOpen(identity, _options, _hello, isTls13: true, reading);
            if (state is null || state.Suite.Hash != _suite!.Hash)
            {
                state?.Dispose();
                continue;
            }

            _resumed = state;
            VerifyBinder(binder);
            selected = i;
            break;
        }

        _transcript.Append(_hello.Message[_hello.BindersOffset..]);
        return selected;
    }

    private void VerifyBinder(ReadOnlySpan<byte> binder)
    {
        _schedule = new KeySchedule(_suite!, _resumed!.Secret.Span);
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> expected = stackalloc byte[_suite!.HashLength];
        _schedule.Binder(_transcript!.Current(hash), expected);
        if (!CryptographicOperations.FixedTimeEquals(binder, expected))
        {
            throw new TlsAlertException(AlertDescription.DecryptError, "The binder of the client's pre-shared key is wrong (RFC 8446 §4.2.11).");
        }
    }

    private void ReceiveCertificate(ReadOnlySpan<byte> message)
    {
        byte[][] chain = CertificateMessage.Read(message, Handshake.Limits.MaxChainLength, isStatusRequested: false, out _);
        _transcript!.Append(message);
        if (chain.Length == 0)
        {
            _state = State.Finished;
            return;
        }

        Handshake.SetPeerCertificate(chain);
        _state = State.CertificateVerify;
    }

    private void ReceiveCertificateVerify(ReadOnlySpan<byte> message)
    {
        CertificateVerify.Verify(isServer: false, Handshake.PeerSigner!, _transcript!, message);
        _transcript!.Append(message);
        _state = State.Finished;
    }

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        Finished.Verify(_suite!, _clientHandshakeSecret!.Span, _transcript!, message);
        Handshake.RequireRecordBoundary();
        _transcript!.Append(message);
        if (!AsksForVerdict(_options.RequestClientCertificate, _resumed))
        {
            Complete();
        }
    }

    public override void PeerCertificateAccepted() => Complete();

    private void Complete()
    {
        TlsSession13 session = _session!;
        if (_options.Tickets is { } ring)
        {
            Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
            using SecretBytes resumptionSecret = _schedule!.Derive("res master"u8, _transcript!.Current(hash));
            if (SendTickets(ring, resumptionSecret))
            {
                session.SendSequence = Records.SendSequence;
            }
        }

        _session = null;
        Handshake.Complete(session);
    }

    // RFC 8446 §4.6.1. Whether any was sent, with the first of the application keys.
    private bool SendTickets(TicketKeyRing ring, SecretBytes resumptionSecret)
    {
        const byte PskDheKe = 1;
        var reading = ClockReading.Of(_options.Clock);
        DateTimeOffset now = reading.Now;
        DateTimeOffset authenticatedAt = _resumed?.AuthenticatedAt ?? now;
        uint lifetime = ServerTickets.Lifetime(_options, age: now - authenticatedAt);
        if (lifetime == 0 || !_hello.PskModes.Contains(PskDheKe))
        {
            return false;
        }

        // A client uses a ticket once (RFC 8446 §C.4): whoever has come with one needs one in its place.
        int count = _resumed is null ? _options.TicketCount : Math.Min(_options.TicketCount, 1);
        using var hmac = new KeyedHmac(_suite!.Hash, resumptionSecret.Span);
        Span<byte> ageAdds = stackalloc byte[4 * count];
        PublicRandom.Fill(ageAdds);

        // All in one record, as many as fit.
        _writer.Clear();
        for (byte i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> nonce = [i];
            using var session = new SessionState
            {
                Suite = _suite!,
                Secret = KeySchedule.ResumptionKey(hmac, nonce),
                ServerName = _hello.ServerName,
                AuthenticatedAt = authenticatedAt,
                IssuedAt = now,
                IsCertificateRequested = _options.RequestClientCertificate,
                OwnCertificateHash = _options.Credential.CertificateHash,
                PeerChain = Handshake.PeerChain,
            };
            if (ServerTickets.Seal(ring, session, reading) is not { } ticket)
            {
                break;
            }

            NewSessionTicket.Write(_writer, lifetime, ageAdd: BinaryPrimitives.ReadUInt32BigEndian(ageAdds[(4 * i)..]), nonce, ticket);
        }

        if (_writer.Length == 0)
        {
            return false;
        }

        Records.Send(ContentType.Handshake, _writer.WrittenSpan);
        return true;
    }
}
