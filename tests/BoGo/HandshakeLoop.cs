using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Answers what a handshake asks its caller.</summary>
internal sealed class HandshakeLoop
{
    private static readonly Refusal CertificateCallbackFailed = new(AlertDescription.InternalError, ":CERT_CB_ERROR:");

    private readonly Transport _transport;
    private readonly ConnectionFlags _flags;
    private readonly ShimCredentials _credentials;
    private readonly TestState _state;
    private readonly bool _isResumption;
    private bool _hasJudged;

    public HandshakeLoop(Transport transport, ConnectionFlags flags, ShimCredentials credentials, TestState state, bool isResumption)
    {
        _isResumption = isResumption;
        _transport = transport;
        _flags = flags;
        _credentials = credentials;
        _state = state;
    }

    /// <summary>Runs the handshake to its end.</summary>
    /// <exception cref="TlsAlertException">It failed; the alert was sent.</exception>
    public void Run(TlsHandshake handshake)
    {
        _transport.Run(handshake);
        while (handshake.Status != HandshakeStatus.Complete)
        {
            try
            {
                Answer(handshake);
            }
            finally
            {
                _transport.Flush(handshake);
            }

            _transport.Run(handshake);
        }

        if (_flags.HandshakeMustFail)
        {
            throw new ShimException("The handshake is complete, and must not be.");
        }

        if (_flags.ExpectsVerdict && handshake.PeerCertificate is not null && !_hasJudged)
        {
            throw new ShimException("The handshake is complete without a verdict on the peer's certificate.");
        }
    }

    private void Answer(TlsHandshake handshake)
    {
        switch (handshake.Status)
        {
            case HandshakeStatus.NeedsServerOptions:
                AnswerClientHello((ServerHandshake)handshake);
                break;
            case HandshakeStatus.NeedsCertificateVerdict:
                JudgePeer(handshake);
                break;
            default:
                throw new ShimException($"The handshake is at {handshake.Status}.");
        }
    }

    private void AnswerClientHello(ServerHandshake handshake)
    {
        if (_flags.ExpectedServerName is { } name && handshake.ClientHello!.ServerName != name)
        {
            throw new ShimException($"The client's server name is \"{handshake.ClientHello.ServerName}\", not \"{name}\".");
        }

        if (_flags.ExpectedProtocolList is { } protocols && !handshake.ClientHello!.Protocols.SequenceEqual(protocols))
        {
            throw new ShimException("The client's application protocols are not the expected ones.");
        }

        if (_flags.RefusesClient is { } refusal)
        {
            throw Refuse(handshake, refusal);
        }

        if (_flags.FailsAtCertificate)
        {
            throw Refuse(handshake, CertificateCallbackFailed);
        }

        if (_flags.RejectsProtocols)
        {
            throw Refuse(handshake, new Refusal(AlertDescription.NoApplicationProtocol, ":NO_APPLICATION_PROTOCOL:"));
        }

        handshake.Accept(_credentials.SelectForClient(handshake.ClientHello!, credential => Options.ForServer(_flags, credential, _state)));
    }

    private void JudgePeer(TlsHandshake handshake)
    {
        if (_flags.RequiresClientCertificate && handshake.PeerCertificate is null)
        {
            // TLS 1.2 has no alert of its own for it (RFC 5246 §7.4.6).
            bool isTls13 = handshake is ServerHandshake { ClientHello.OffersTls13: true } && (_flags.Protocols & SslProtocols.Tls13) != 0;
            throw Refuse(handshake, new Refusal(
                isTls13 ? AlertDescription.CertificateRequired : AlertDescription.HandshakeFailure, ":PEER_DID_NOT_RETURN_A_CERTIFICATE:"));
        }

        // KTls always asks whether a resumed session's certificate is still good; BoringSSL's callers have to want it.
        bool isAsked = (_flags.VerifiesPeer || _flags.RequiresClientCertificate) && (!_isResumption || _flags.JudgesAgain);
        if (_flags.RefusesPeerCertificate is { } refusal && isAsked && handshake.PeerCertificate is not null)
        {
            throw Refuse(handshake, refusal);
        }

        if (_flags.RefusesOcspResponse)
        {
            throw Refuse(handshake, new Refusal(AlertDescription.BadCertificateStatusResponse, ":OCSP_CB_ERROR:"));
        }

        _hasJudged = true;
        handshake.AcceptPeerCertificate();
    }

    private static ShimException Refuse(TlsHandshake handshake, Refusal refusal)
    {
        handshake.Fail(refusal.Alert);
        return new ShimException(refusal.Error);
    }
}
