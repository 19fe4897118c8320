using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The end: the server's Finished, our certificate, our Finished (RFC 8446 §4.4).</summary>
internal sealed partial class Tls13Client
{
    private TlsSession13? _session;
    private WireWriter? _writer;
    private SignatureScheme _scheme;
    private int _flightStart;

    private void ReceiveFinished(ReadOnlySpan<byte> message)
    {
        Finished.Verify(_suite!, _serverSecret!.Span, _transcript!, message);
        Handshake.RequireRecordBoundary();
        _transcript!.Append(message);

        _schedule!.EnterMaster();
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        ReadOnlySpan<byte> finishedHash = _transcript.Current(hash);
        ClientHandshakeOptions options = _offer.Options;
        _session = new TlsSession13(_suite!)
        {
            Group = _group,
            ApplicationProtocol = _protocol,
            IsResumed = _isResumed,
            MaxSendContent = Records.MaxContent,
            Template = options.RequestTickets
                ? new SessionTemplate(
                    options.ServerName, _isResumed ? _offer.Session13!.State.AuthenticatedAt : options.Clock.GetUtcNow(), Handshake.PeerChain, options.Clock)
                : null,
        };
        _schedule.Derive("c ap traffic"u8, finishedHash, _session.SendSecret);
        _schedule.Derive("s ap traffic"u8, finishedHash, _session.ReceiveSecret);
        _schedule.Derive("exp master"u8, finishedHash, _session.ExporterSecret);
        KeyLog.Write(options.KeyLog, "CLIENT_TRAFFIC_SECRET_0", _offer.Random, _session.SendSecret);
        KeyLog.Write(options.KeyLog, "SERVER_TRAFFIC_SECRET_0", _offer.Random, _session.ReceiveSecret);
        KeyLog.Write(options.KeyLog, "EXPORTER_SECRET", _offer.Random, _session.ExporterSecret);
        SendFinalFlight();
    }

    private void SendFinalFlight()
    {
        _writer = new WireWriter(256);
        if (_request is null)
        {
            SendFinished();
            return;
        }

        CertificateCredential? credential = _offer.Options.SelectCertificate?.Invoke(_request);
        if (credential is null || SelectScheme(credential) is not { } scheme)
        {
            // No certificate to show: the server decides whether it goes on without (RFC 8446 §4.4.2).
            CertificateMessage.Write(_writer, default, [], default);
            AppendToTranscript();
            SendFinished();
            return;
        }

        _scheme = scheme;
        CertificateMessage.Write(_writer, default, credential.Chain, default);
        AppendToTranscript();
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> buffer = stackalloc byte[CertificateVerify.MaxContentLength];
        Sign(credential, scheme, CertificateVerify.Content(isServer: false, _transcript!.Current(hash), buffer));
    }

    public override void Signed(ReadOnlySpan<byte> signature)
    {
        CertificateVerify.Write(_writer!, _scheme, signature);
        AppendToTranscript();
        SendFinished();
    }

    private SignatureScheme? SelectScheme(CertificateCredential credential)
    {
        foreach (SignatureScheme scheme in credential.Schemes)
        {
            if (_request!.SignatureSchemes.Contains(scheme))
            {
                return scheme;
            }
        }

        return null;
    }

    private void SendFinished()
    {
        Finished.Write(_writer!, _suite!, _clientSecret!.Span, _transcript!);
        AppendToTranscript();
        Records.Send(ContentType.Handshake, _writer!.WrittenSpan);
        TlsSession13 session = _session!;
        _session = null;
        if (session.Template is not null)
        {
            Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
            _schedule!.Derive("res master"u8, _transcript!.Current(hash), session.ResumptionSecret);
        }

        Handshake.Complete(session);
    }

    // What was written since the last call.
    private void AppendToTranscript()
    {
        _transcript!.Append(_writer!.WrittenFrom(_flightStart));
        _flightStart = _writer.Length;
    }
}
