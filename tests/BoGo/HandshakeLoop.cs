using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Moves records between the runner and a handshake, and answers what the handshake asks.</summary>
internal sealed class HandshakeLoop
{
    private readonly RecordStream _stream;
    private readonly ConnectionFlags _flags;

    public HandshakeLoop(RecordStream stream, ConnectionFlags flags)
    {
        _stream = stream;
        _flags = flags;
    }

    /// <summary>Runs the handshake to its end.</summary>
    /// <exception cref="TlsAlertException">It failed; the alert was sent.</exception>
    public void Run(TlsHandshake handshake)
    {
        try
        {
            SendOutput(handshake);
            while (handshake.Status != HandshakeStatus.Complete)
            {
                Step(handshake);
                SendOutput(handshake);
            }
        }
        catch (TlsAlertException e)
        {
            // A record's header is judged outside of the handshake, which then has still to be told.
            if (!e.ReceivedFromPeer)
            {
                handshake.Fail(e.Description);
            }

            SendOutput(handshake);
            throw;
        }

        if (_flags.HandshakeMustFail)
        {
            throw new ShimException("The handshake is complete, and must not be.");
        }
    }

    private void Step(TlsHandshake handshake)
    {
        switch (handshake.Status)
        {
            case HandshakeStatus.NeedsRecord:
                Span<byte> record = _stream.Receive();
                if (record.IsEmpty)
                {
                    throw new ShimException("The runner closed the connection within the handshake.");
                }

                handshake.ReceiveRecord(record);
                break;
            case HandshakeStatus.NeedsServerOptions:
                AnswerClientHello((ServerHandshake)handshake);
                break;
            case HandshakeStatus.NeedsCertificateVerdict:
                JudgeServer((ClientHandshake)handshake);
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

        if (_flags.RefusesClientWith is { } alert)
        {
            throw Refuse(handshake, alert, alert == AlertDescription.InternalError ? ":CERT_CB_ERROR:" : ":CONNECTION_REJECTED:");
        }

        if (_flags.RejectsProtocols)
        {
            throw Refuse(handshake, AlertDescription.NoApplicationProtocol, ":NO_APPLICATION_PROTOCOL:");
        }

        handshake.Accept(Options.ForServer(_flags));
    }

    private void JudgeServer(ClientHandshake handshake)
    {
        if (_flags is { VerifiesPeer: true, RefusesPeerCertificate: true })
        {
            throw Refuse(handshake, AlertDescription.HandshakeFailure, ":CERTIFICATE_VERIFY_FAILED:");
        }

        handshake.AcceptServerCertificate();
    }

    private ShimException Refuse(TlsHandshake handshake, AlertDescription alert, string reason)
    {
        handshake.Fail(alert);
        SendOutput(handshake);
        return new ShimException(reason);
    }

    private void SendOutput(TlsHandshake handshake)
    {
        if (!handshake.Output.IsEmpty)
        {
            _stream.Send(handshake.Output.Span);
            handshake.OutputSent();
        }
    }
}
