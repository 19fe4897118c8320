using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What the server sends: ServerHello to Finished (RFC 8446 §4.1.3, §4.3, §4.4).</summary>
internal sealed partial class Tls13Server
{
    private void SendFlight(NamedGroup group, ReadOnlySpan<byte> clientShare)
    {
        Handshake.RequireRecordBoundary();
        _group = group;
        _protocol = ServerNegotiation.SelectApplicationProtocol(_hello, _options.ApplicationProtocols);
        ushort? selectedKey = SelectPreSharedKey();
        if (selectedKey is null)
        {
            _schedule = new KeySchedule(_suite!);
            _scheme = ServerNegotiation.SelectScheme(_hello, _options.Credential, isTls13: true)
                ?? throw new TlsAlertException(AlertDescription.HandshakeFailure, "The client accepts no signature scheme that the certificate's key can sign with.");
        }

        AgreeAndSendServerHello(clientShare, selectedKey);
        ProtectHandshake();

        // record_size_limit: ours goes to whoever asks (RFC 8449 §4).
        if (_options.RecordSizeLimit is { } limit && _hello.RecordSizeLimit is { } clients)
        {
            Records.MaxContent = RecordSizeLimit.ContentLimit(clients, isTls13: true);
            Records.ReceiveLimit = RecordSizeLimit.ToWire(limit, isTls13: true);
        }

        _writer.Clear();
        _flightStart = 0;
        EncryptedExtensions.Write(_writer, acknowledgeServerName: _hello.ServerName.Length != 0 && selectedKey is null, _protocol, Records.ReceiveLimit);
        if (selectedKey is not null)
        {
            AppendToTranscript();
            SendFinished();
            return;
        }

        if (_options.RequestClientCertificate)
        {
            ClientCertificateRequest.Write(_writer, SignatureAlgorithm.ForHandshake12, _options.CertificateAuthorities);
        }

        CertificateCredential credential = _options.Credential;
        CertificateMessage.Write(_writer, default, credential.Chain, _hello.RequestsOcspResponse ? credential.OcspResponseAt(_options.Clock.GetUtcNow()).Span : default);
        AppendToTranscript();
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> buffer = stackalloc byte[CertificateVerify.MaxContentLength];
        Sign(credential, _scheme, CertificateVerify.Content(isServer: true, _transcript!.Current(hash), buffer));
    }

    public override void Signed(ReadOnlySpan<byte> signature)
    {
        CertificateVerify.Write(_writer, _scheme, signature);
        AppendToTranscript();
        SendFinished();
    }

    private void AgreeAndSendServerHello(ReadOnlySpan<byte> clientShare, ushort? selectedKey)
    {
        byte[] share;
        Span<byte> sharedSecret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
        try
        {
            int sharedLength = KeyExchange.Respond(_group, clientShare, sharedSecret, out share);
            _schedule!.EnterHandshake(sharedSecret[..sharedLength]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(sharedSecret);
        }

        Span<byte> random = stackalloc byte[RandomLength];
        PublicRandom.Fill(random);
        _writer.Clear();
        ServerHello.Write(_writer, random, _hello.SessionId, _suite!.Id, _group, share, selectedKey);
        _transcript!.Append(_writer.WrittenSpan);
        Records.Send(ContentType.Handshake, _writer.WrittenSpan);
        if (!WasRetried)
        {
            SendChangeCipherSpec();
        }
    }

    private void ProtectHandshake()
    {
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> helloHash = _transcript!.Current(hash);
        _serverHandshakeSecret = _schedule!.Derive("s hs traffic"u8, helloHash);
        _clientHandshakeSecret = _schedule.Derive("c hs traffic"u8, helloHash);
        using var serverKeys = new RecordKeys(_suite!, _serverHandshakeSecret.Span);
        using var clientKeys = new RecordKeys(_suite!, _clientHandshakeSecret.Span);
        Records.ProtectSending(serverKeys);
        Records.ProtectReceiving(clientKeys);
        KeyLog.Write(_options.KeyLog, "SERVER_HANDSHAKE_TRAFFIC_SECRET", _hello.Random, _serverHandshakeSecret.Span);
        KeyLog.Write(_options.KeyLog, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", _hello.Random, _clientHandshakeSecret.Span);
    }

    private void SendFinished()
    {
        Finished.Write(_writer, _suite!, _serverHandshakeSecret!.Span, _transcript!);
        AppendToTranscript();
        Records.Send(ContentType.Handshake, _writer.WrittenSpan);

        // The application secrets cover the transcript up to the server's Finished (RFC 8446 §7.1).
        _schedule!.EnterMaster();
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> finishedHash = _transcript!.Current(hash);
        _session = new TlsSession13(_suite!)
        {
            Group = _group,
            ApplicationProtocol = _protocol,
            IsServer = true,
            IsResumed = _resumed is not null,
            MaxSendContent = Records.MaxContent,
        };
        _schedule.Derive("s ap traffic"u8, finishedHash, _session.SendSecret);
        _schedule.Derive("c ap traffic"u8, finishedHash, _session.ReceiveSecret);
        _schedule.Derive("exp master"u8, finishedHash, _session.ExporterSecret);
        KeyLog.Write(_options.KeyLog, "SERVER_TRAFFIC_SECRET_0", _hello.Random, _session.SendSecret);
        KeyLog.Write(_options.KeyLog, "CLIENT_TRAFFIC_SECRET_0", _hello.Random, _session.ReceiveSecret);
        KeyLog.Write(_options.KeyLog, "EXPORTER_SECRET", _hello.Random, _session.ExporterSecret);
        Records.ProtectSendingLater(_session);
        SkipEarlyData();
        _state = _options.RequestClientCertificate && _resumed is null ? State.Certificate : State.Finished;
    }

    // Middlebox compatibility (RFC 8446 §D.4): only for a client that asks for it by a session id, once.
    private void SendChangeCipherSpec()
    {
        if (!_hello.SessionId.IsEmpty)
        {
            Records.Send(ContentType.ChangeCipherSpec, [1]);
        }
    }

    // What was written since the last call.
    private void AppendToTranscript()
    {
        _transcript!.Append(_writer.WrittenFrom(_flightStart));
        _flightStart = _writer.Length;
    }
}
