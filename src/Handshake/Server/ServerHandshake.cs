using System.Net.Security;
using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The server's side of a TLS 1.3 handshake (RFC 8446 §2, §4).</summary>
public sealed class ServerHandshake : TlsHandshake
{
    private const int RandomLength = 32;

    // As much as a server that accepts early data would take by default elsewhere (RFC 8446 §4.2.10).
    private const int MaxSkippedEarlyData = 64 * 1024;

    private ServerHandshakeOptions? _options;
    private State _state = State.ClientHello;
    private CipherSuite? _suite;
    private Transcript? _transcript;
    private NamedGroup _retryGroup;
    private SecretBytes? _clientHandshakeSecret;
    private TlsSession? _nextSession;

    private enum State
    {
        ClientHello,
        SecondClientHello,
        Finished,
    }

    /// <summary>The client's ClientHello, from <see cref="HandshakeStatus.NeedsServerOptions"/> on.</summary>
    public ClientHello? ClientHello { get; private set; }

    /// <summary>
    /// Answers the ClientHello. <see cref="TlsHandshake.Status"/> must be <see cref="HandshakeStatus.NeedsServerOptions"/>.
    /// </summary>
    /// <param name="options">The options for this client.</param>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="TlsHandshake.Output"/> has the alert.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for options.</exception>
    public void Accept(ServerHandshakeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Expect(HandshakeStatus.NeedsServerOptions);
        _options = options;
        Resume(() => Negotiate(ClientHello!));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _transcript?.Dispose();
        _clientHandshakeSecret?.Dispose();
        _nextSession?.Dispose();
        base.Dispose(disposing);
    }

    private protected override void Receive(HandshakeType type, ReadOnlySpan<byte> message)
    {
        switch (_state, type)
        {
            case (State.ClientHello, HandshakeType.ClientHello):
                ClientHello = ClientHello.Read(message);
                HasStarted = true;
                Status = HandshakeStatus.NeedsServerOptions;
                break;
            case (State.SecondClientHello, HandshakeType.ClientHello):
                ReceiveSecondClientHello(ClientHello.Read(message));
                break;
            case (State.Finished, HandshakeType.Finished):
                ReceiveFinished(message);
                break;
            default:
                Unexpected(type);
                break;
        }
    }

    private void Negotiate(ClientHello hello)
    {
        CheckForm(hello);
        _suite = SelectSuite(hello);
        _transcript = new Transcript(_suite);
        _transcript.Append(hello.Message);
        if (TrySelectShare(hello, out NamedGroup group, out ReadOnlySpan<byte> share))
        {
            SendFlight(hello, group, share);
        }
        else
        {
            SendHelloRetryRequest(hello);
        }
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

        // RFC 8446 §9.2, for a ClientHello whose pre-shared keys we do not use.
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

    private CipherSuite SelectSuite(ClientHello hello)
    {
        foreach (TlsCipherSuite id in _options!.CipherSuites)
        {
            if (hello.Offers(id) && CipherSuite.Find(id) is { } suite)
            {
                return suite;
            }
        }

        throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no cipher suite that this server has.");
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
            if ((seen & (1u << rank)) != 0 || !hello.Offers(entry.Group))
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, $"The key share for {entry.Group} comes twice, or without the group.");
            }

            seen |= 1u << rank;
            if (rank < best)
            {
                best = rank;
                group = entry.Group;
                share = entry.KeyExchange;
            }
        }

        return best != int.MaxValue;
    }

    private int Rank(NamedGroup group)
    {
        IReadOnlyList<NamedGroup> groups = _options!.Groups;
        for (int i = 0; i < groups.Count; i++)
        {
            if (groups[i] == group && KeyExchange.IsSupported(group))
            {
                return i;
            }
        }

        return -1;
    }

    private void SendHelloRetryRequest(ClientHello hello)
    {
        foreach (NamedGroup group in _options!.Groups)
        {
            if (hello.Offers(group) && KeyExchange.IsSupported(group))
            {
                _retryGroup = group;
                break;
            }
        }

        if (_retryGroup == default)
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no group that this server has.");
        }

        _transcript!.ReplaceByMessageHash();
        using var writer = new WireWriter(256);
        ServerHello.WriteHelloRetryRequest(writer, hello.SessionId, _suite!.Id, _retryGroup);
        _transcript.Append(writer.WrittenSpan);
        Records.Send(ContentType.Handshake, writer.WrittenSpan);
        SendChangeCipherSpec(hello);
        RequireRecordBoundary();
        if (hello.OffersEarlyData)
        {
            Records.EarlyDataToSkip = MaxSkippedEarlyData;
        }

        _state = State.SecondClientHello;
    }

    private void ReceiveSecondClientHello(ClientHello second)
    {
        CheckForm(second);
        ClientHello first = ClientHello!;

        // RFC 8446 §4.1.2: nothing else may change; what we based our choice on is compared.
        if (!second.Random.SequenceEqual(first.Random)
            || !second.SessionId.SequenceEqual(first.SessionId)
            || !second.CipherSuites.SequenceEqual(first.CipherSuites)
            || !second.Groups.SequenceEqual(first.Groups)
            || !second.SignatureSchemes.SequenceEqual(first.SignatureSchemes)
            || !second.Protocols.SequenceEqual(first.Protocols)
            || second.ServerName != first.ServerName
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
        _transcript!.Append(second.Message);
        ClientHello = second;
        SendFlight(second, entry.Group, entry.KeyExchange);
    }

    // ServerHello, EncryptedExtensions, Certificate, CertificateVerify, Finished.
    private void SendFlight(ClientHello hello, NamedGroup group, ReadOnlySpan<byte> clientShare)
    {
        RequireRecordBoundary();
        SslApplicationProtocol protocol = SelectProtocol(hello);
        SignatureScheme scheme = SelectScheme(hello);
        using var schedule = new KeySchedule(_suite!);
        using var writer = new WireWriter(4096);

        AgreeAndSendServerHello(hello, group, clientShare, schedule, writer);
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> helloHash = _transcript!.Current(hash);
        using SecretBytes serverSecret = schedule.Derive("s hs traffic"u8, helloHash);
        _clientHandshakeSecret = schedule.Derive("c hs traffic"u8, helloHash);
        using (var serverKeys = new RecordKeys(_suite!, serverSecret.Span))
        using (var clientKeys = new RecordKeys(_suite!, _clientHandshakeSecret.Span))
        {
            Records.ProtectSending(serverKeys);
            Records.ProtectReceiving(clientKeys);
        }

        writer.Clear();
        EncryptedExtensions.Write(writer, acknowledgeServerName: hello.ServerName.Length != 0, protocol);
        CertificateMessage.Write(writer, _options!.Credential.Chain);
        _transcript.Append(writer.WrittenSpan);

        int start = writer.Length;
        WriteCertificateVerify(writer, scheme);
        _transcript.Append(writer.WrittenFrom(start));

        start = writer.Length;
        Finished.Write(writer, _suite!, serverSecret.Span, _transcript);
        _transcript.Append(writer.WrittenFrom(start));
        Records.Send(ContentType.Handshake, writer.WrittenSpan);

        // The application secrets cover the transcript up to the server's Finished (RFC 8446 §7.1).
        schedule.EnterMaster();
        ReadOnlySpan<byte> finishedHash = _transcript.Current(hash);
        _nextSession = new TlsSession(_suite!, schedule.Derive("s ap traffic"u8, finishedHash), schedule.Derive("c ap traffic"u8, finishedHash))
        {
            Group = group,
            ApplicationProtocol = protocol,
            IsServer = true,
        };
        Records.ProtectSendingLater(_nextSession);
        if (hello.OffersEarlyData)
        {
            Records.EarlyDataToSkip = MaxSkippedEarlyData;
        }

        _state = State.Finished;
    }

    private void AgreeAndSendServerHello(ClientHello hello, NamedGroup group, ReadOnlySpan<byte> clientShare, KeySchedule schedule, WireWriter writer)
    {
        Span<byte> sharedSecret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        int sharedLength = KeyExchange.Respond(group, clientShare, sharedSecret, out byte[] serverShare);
        schedule.EnterHandshake(sharedSecret[..sharedLength]);
        CryptographicOperations.ZeroMemory(sharedSecret);

        Span<byte> random = stackalloc byte[RandomLength];
        RandomNumberGenerator.Fill(random);
        ServerHello.Write(writer, random, hello.SessionId, _suite!.Id, group, serverShare);
        _transcript!.Append(writer.WrittenSpan);
        Records.Send(ContentType.Handshake, writer.WrittenSpan);
        if (_retryGroup == default)
        {
            SendChangeCipherSpec(hello);
        }
    }

    // Middlebox compatibility (RFC 8446 §D.4): only for a client that asks for it by a session id, once.
    private void SendChangeCipherSpec(ClientHello hello)
    {
        if (!hello.SessionId.IsEmpty)
        {
            Records.Send(ContentType.ChangeCipherSpec, [1]);
        }
    }

    // RFC 7301 §3.2: the server's preference decides.
    private SslApplicationProtocol SelectProtocol(ClientHello hello)
    {
        if (_options!.ApplicationProtocols.Count == 0 || !hello.HasProtocols)
        {
            return default;
        }

        foreach (SslApplicationProtocol protocol in _options.ApplicationProtocols)
        {
            if (ProtocolNameList.Contains(hello.Protocols, protocol.Protocol.Span))
            {
                return protocol;
            }
        }

        throw new TlsAlertException(AlertDescription.NoApplicationProtocol, "The client offers no application protocol that this server has.");
    }

    private SignatureScheme SelectScheme(ClientHello hello)
    {
        foreach (SignatureScheme scheme in _options!.Credential.Schemes)
        {
            if (hello.Offers(scheme))
            {
                return scheme;
            }
        }

        throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client accepts no signature scheme that the certificate's key can sign with.");
    }

    private void WriteCertificateVerify(WireWriter writer, SignatureScheme scheme)
    {
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> buffer = stackalloc byte[CertificateVerify.MaxContentLength];
        ReadOnlySpan<byte> content = CertificateVerify.ServerContent(_transcript!.Current(hash), buffer);
        CertificateVerify.Write(writer, scheme, _options!.Credential.Sign(scheme, content));
    }

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        Finished.Verify(_suite!, _clientHandshakeSecret!.Span, _transcript!, message);
        RequireRecordBoundary();
        Complete(_nextSession!);
        _nextSession = null;
    }
}
