using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What the server sends: ServerHello to ServerHelloDone, or to Finished when a session is resumed; the ticket.</summary>
internal sealed partial class Tls12Server
{
    private void SendFlight()
    {
        Suite = ServerNegotiation.SelectSuite(_hello, _options, isTls13: false)
            ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no cipher suite of TLS 1.2 that this server and its certificate have.");
        _group = ServerNegotiation.SelectGroup(_hello, _options.Groups, isTls13: false)
            ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client offers no group that this server has.");
        if (!ServerNegotiation.HasCurveOf(_hello, _options.Credential))
        {
            throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client does not have the curve of the certificate's key (RFC 8422 §5.1).");
        }

        _scheme = ServerNegotiation.SelectScheme(_hello, _options.Credential, isTls13: false)
            ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client accepts no signature scheme that the certificate's key can sign with.");
        Transcript = new Transcript12(Suite, keepMessages: _options.RequestClientCertificate);
        Transcript.Append(_hello.Message);
        CertificateCredential credential = _options.Credential;

        // Read once: it may be replaced, or its time be over, before it is written.
        ReadOnlyMemory<byte> ocspResponse = _hello.RequestsOcspResponse ? credential.OcspResponseAt(_options.Clock.GetUtcNow()) : default;
        SendServerHello(sessionId: default, sendsTicket: SendsTicket, isStapling: !ocspResponse.IsEmpty);
        CertificateMessage.Write12(Writer, credential.Chain);
        if (!ocspResponse.IsEmpty)
        {
            CertificateMessage.WriteStatus12(Writer, ocspResponse.Span);
        }

        _exchange = KeyExchange.Create(_group);
        using var parameters = new WireWriter(256);
        ServerKeyExchange.WriteParameters(parameters, _group, _exchange.PublicShare);
        _parameters = parameters.WrittenSpan.ToArray();
        Sign(credential, _scheme, [.. Randoms, .. _parameters]);
    }

    public override void Signed(ReadOnlySpan<byte> signature)
    {
        ServerKeyExchange.Write(Writer, _parameters, _scheme, signature);
        if (_options.RequestClientCertificate)
        {
            ClientCertificateRequest.Write12(Writer, SignatureAlgorithm.ForHandshake12, _options.CertificateAuthorities);
        }

        Writer.End(Writer.BeginMessage(HandshakeType.ServerHelloDone));
        SendWritten();

        // Nobody answers what has not been sent yet (RFC 5246 §7.3).
        Handshake.RequireRecordBoundary();
        _state = _options.RequestClientCertificate ? State.Certificate : State.ClientKeyExchange;
    }

    // The abbreviated handshake (RFC 5246 §7.3, RFC 5077 §3.1).
    private void Resume()
    {
        Suite = _resumed!.Suite;
        MasterSecret = SecretBytes.Lasting(_resumed.Secret.Span);
        Transcript = new Transcript12(Suite, keepMessages: false);
        Transcript.Append(_hello.Message);
        ExpandKeys();

        // The client knows by its own session id that the ticket was taken (RFC 5077 §3.4).
        SendServerHello(_hello.SessionId, sendsTicket: false, isStapling: false);
        SendWritten();
        SendFinished();
        ExpectFinished();
    }

    private bool SendsTicket => _options.Tickets is not null && _hello.SessionTicket is not null && ServerTickets.Lifetime(_options, age: TimeSpan.Zero) != 0;

    private void SendServerHello(ReadOnlySpan<byte> sessionId, bool sendsTicket, bool isStapling)
    {
        bool isResumed = _resumed is not null;
        WireWriter.Vector message = ServerHello.BeginWrite(Writer, Randoms.AsSpan(RandomLength), sessionId, Suite!.Id);
        WireWriter.Vector extensions = Writer.Begin(2);
        if (_hello.ServerName.Length != 0 && !isResumed)
        {
            // RFC 6066 §3: an empty extension says that the name was used.
            Writer.End(Writer.BeginExtension(ExtensionType.ServerName));
        }

        if (_hello.HasRenegotiationInfo || _hello.Signals(RenegotiationScsv))
        {
            // RFC 5746 §3.6: empty in a first handshake, and there is no second.
            WireWriter.Vector info = Writer.BeginExtension(ExtensionType.RenegotiationInfo);
            Writer.WriteUInt8(0);
            Writer.End(info);
        }

        if (_hello.HasPointFormats && !isResumed)
        {
            WireWriter.Vector formats = Writer.BeginExtension(ExtensionType.EcPointFormats);
            Writer.WriteVector8([0]);
            Writer.End(formats);
        }

        if (IsExtendedMasterSecret)
        {
            Writer.End(Writer.BeginExtension(ExtensionType.ExtendedMasterSecret));
        }

        if (isStapling)
        {
            Writer.End(Writer.BeginExtension(ExtensionType.StatusRequest));
        }

        if (sendsTicket)
        {
            Writer.End(Writer.BeginExtension(ExtensionType.SessionTicket));
        }

        if (!_protocol.Protocol.IsEmpty)
        {
            ProtocolNameList.Write(Writer, [_protocol]);
        }

        if (Records.ReceiveLimit is { } limit)
        {
            RecordSizeLimit.Write(Writer, limit);
        }

        // RFC 5246 §7.4.1.4: no extension, no block, for clients that know none.
        if (Writer.Length == extensions.Start)
        {
            Writer.Truncate(extensions.Start - extensions.LengthBytes);
        }
        else
        {
            Writer.End(extensions);
        }

        Writer.End(message);
    }

    // RFC 5077 §3.3: between the client's Finished and our change_cipher_spec.
    private void SendTicket()
    {
        if (!SendsTicket)
        {
            return;
        }

        var reading = ClockReading.Of(_options.Clock);
        using var state = new SessionState
        {
            Suite = Suite!,
            Secret = new SecretBytes(MasterSecret!.Span),
            IsExtendedMasterSecret = IsExtendedMasterSecret,
            ServerName = _hello.ServerName,
            AuthenticatedAt = reading.Now,
            IssuedAt = reading.Now,
            IsCertificateRequested = _options.RequestClientCertificate,
            OwnCertificateHash = _options.Credential.CertificateHash,
            PeerChain = Handshake.PeerChain,
        };

        // RFC 5077 §3.3: having promised a ticket, a server without one sends an empty one.
        byte[] ticket = ServerTickets.Seal(_options.Tickets!, state, reading) ?? [];
        Writer.Clear();
        NewSessionTicket.Write12(Writer, ServerTickets.Lifetime(_options, age: TimeSpan.Zero), ticket);
        SendWritten();
    }
}
