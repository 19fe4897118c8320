using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>
/// A TLS handshake without I/O: the caller feeds it the peer's records one by one, sends what stands in <see cref="Output"/>
/// after every step, and answers what <see cref="Status"/> asks for. Not for several threads at once.
/// </summary>
[Experimental(Maturity.Experimental)]
public abstract class TlsHandshake : IDisposable
{
    // A peer sends one (RFC 8446 §D.4). More than a few are no middlebox's work.
    private const int MaxChangeCipherSpecs = 8;

    private readonly HandshakeMessageBuffer _messages;
    private int _changeCipherSpecs;
    private int _warnings;
    private TlsSession? _session;
    private byte[][] _peerChain = [];

    private protected TlsHandshake(HandshakeLimits limits)
    {
        Limits = limits;
        _messages = new HandshakeMessageBuffer(limits.MaxMessageSize);
    }

    /// <summary>What the handshake waits for.</summary>
    public HandshakeStatus Status { get; internal set; }

    /// <summary>Records to send before anything else happens; valid until the next call. Also after a failure: the alert.</summary>
    public ReadOnlyMemory<byte> Output => Records.Output;

    /// <summary>
    /// The peer's certificate, from <see cref="HandshakeStatus.NeedsCertificateVerdict"/> on: the peer has proved that it has
    /// the key, now or when the resumed session began; whether the certificate may be trusted is the caller's verdict. The
    /// caller owns it. Null on a server when the client showed none.
    /// </summary>
    public X509Certificate2? PeerCertificate { get; private set; }

    /// <summary>
    /// Whether a session is resumed, known from <see cref="HandshakeStatus.NeedsCertificateVerdict"/> on: the peer has not shown
    /// <see cref="PeerCertificate"/> in this handshake; when the handshake is complete, it has proved that it is the one that showed it when
    /// the session began.
    /// </summary>
    public bool IsResumed => Flow is { IsResumed: true };

    /// <summary>What this end shows, or would show if the session were not resumed; null on a client that shows no certificate.</summary>
    public CertificateCredential? LocalCredential { get; internal set; }

    /// <summary>The other certificates that the peer sent, DER each, in its order.</summary>
    public IReadOnlyList<byte[]> OtherCertificates => [.. _peerChain.Skip(1).Select(encoded => encoded.ToArray())]; // copies: the bytes are those of PeerCertificateCache

    /// <summary>
    /// Decodes <see cref="OtherCertificates"/>, except what cannot be decoded, or has an RSA key that is too short or too long: such a certificate does not help to
    /// build a chain.
    /// </summary>
    /// <returns>Certificates that the caller disposes.</returns>
    public IReadOnlyList<X509Certificate2> LoadOtherCertificates()
    {
        if (_peerChain.Length <= 1)
        {
            return [];
        }

        var others = new List<X509Certificate2>(_peerChain.Length - 1);
        foreach (byte[] encoded in _peerChain.AsSpan(1))
        {
            try
            {
                if (PeerRsaKey.HasGoodSize(PeerCertificateCache.Keep(encoded)))
                {
                    others.Add(PeerCertificateCache.Load(encoded));
                }
            }
            catch (TlsAlertException)
            {
            }
        }

        return others;
    }

    /// <summary>The OCSP response for its certificate that the peer stapled (RFC 6066 §8), DER, not judged; empty when there is none.</summary>
    public ReadOnlyMemory<byte> PeerOcspResponse { get; internal set; }

    /// <summary>What is to be signed, at <see cref="HandshakeStatus.NeedsSignature"/>.</summary>
    public SignatureRequest? SignatureRequest { get; internal set; }

    internal HandshakeLimits Limits { get; set; }

    internal HandshakeRecords Records { get; } = new();

    /// <summary>The version's state machine, from the moment on when the version is known.</summary>
    internal HandshakeFlow? Flow { get; set; }

    /// <summary>The peer's certificate once more, for checking signatures; not to be disposed, because other handshakes use it as well.</summary>
    internal X509Certificate2? PeerSigner { get; private set; }

    internal byte[][] PeerChain => _peerChain;

    /// <summary>Whether a ClientHello of TLS 1.3 has been sent or received: change_cipher_spec may come from then on (RFC 8446 §5).</summary>
    private protected bool HasStarted { get; set; }

    /// <summary>Says that <see cref="Output"/> was sent.</summary>
    public void OutputSent() => Records.OutputSent();

    /// <summary>Takes one record of the peer. <see cref="Status"/> must be <see cref="HandshakeStatus.NeedsRecord"/>.</summary>
    /// <param name="record">The whole record, header and body; overwritten.</param>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="Output"/> has the alert for the peer.</exception>
    /// <exception cref="ArgumentException"><paramref name="record"/> is not one whole record.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for a record.</exception>
    public void ReceiveRecord(Span<byte> record)
    {
        Expect(HandshakeStatus.NeedsRecord);
        try
        {
            RecordHeader.CheckFraming(record);
            if (Records.TryOpen(record, out ContentType type, out ReadOnlySpan<byte> content))
            {
                Receive(type, content);
            }
            else if (!_messages.IsEmpty)
            {
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, "Early data inside a handshake message (RFC 8446 §5.1).");
            }
        }
        catch (Exception e) when (e is not ArgumentException { ParamName: nameof(record) })
        {
            throw Failed(e);
        }
    }

    /// <summary>
    /// Says that the peer's certificate is trusted, or that none is needed. To refuse it, call <see cref="Fail(AlertDescription)"/>.
    /// </summary>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="Output"/> has the alert.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for a verdict.</exception>
    public void AcceptPeerCertificate()
    {
        Expect(HandshakeStatus.NeedsCertificateVerdict);
        Resume(static handshake => handshake.Flow!.PeerCertificateAccepted());
    }

    /// <summary>Answers <see cref="SignatureRequest"/>.</summary>
    /// <param name="signature">The signature, in the form that the scheme has on the wire.</param>
    /// <exception cref="TlsAlertException">The handshake has failed; <see cref="Output"/> has the alert.</exception>
    /// <exception cref="InvalidOperationException">The handshake does not wait for a signature.</exception>
    public void ProvideSignature(ReadOnlySpan<byte> signature)
    {
        Expect(HandshakeStatus.NeedsSignature);
        SignatureRequest = null;
        Status = HandshakeStatus.NeedsRecord;
        try
        {
            Flow!.Signed(signature);
            ProcessMessages();
        }
        catch (Exception e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Gives up: writes an alert to <see cref="Output"/>.</summary>
    /// <param name="alert">The reason for the peer.</param>
    public void Fail(AlertDescription alert)
    {
        if (Status is not (HandshakeStatus.Complete or HandshakeStatus.Failed))
        {
            // certificate_required is of TLS 1.3 (RFC 8446 §6.2); before it was handshake_failure (RFC 5246 §7.4.6).
            bool isOld = alert == AlertDescription.CertificateRequired && Flow is { IsTls13: false };
            Records.Send(ContentType.Alert, TlsAlert.Create(isOld ? AlertDescription.HandshakeFailure : alert));
            Status = HandshakeStatus.Failed;
        }
    }

    /// <summary>Hands over the keys of a complete handshake, once. The caller disposes them.</summary>
    /// <returns>The keys and what was agreed on.</returns>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or the session was taken.</exception>
    public TlsSession TakeSession()
    {
        Expect(HandshakeStatus.Complete);
        TlsSession session = _session ?? throw new InvalidOperationException("The session was taken already.");
        _session = null;
        return session;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the role holds.</summary>
    /// <param name="disposing">Always true.</param>
    protected virtual void Dispose(bool disposing)
    {
        _session?.Dispose();
        Flow?.Dispose();
        _messages.Dispose();
        Records.Dispose();
    }

    /// <summary>Takes a message before the version is known.</summary>
    private protected abstract void Receive(HandshakeType type, ReadOnlySpan<byte> message);

    /// <exception cref="TlsAlertException">The peer's certificate cannot be decoded.</exception>
    internal void SetPeerCertificate(byte[][] chain)
    {
        _peerChain = chain;
        PeerSigner = PeerCertificateCache.Keep(chain[0]);
        PeerCertificate = new X509Certificate2(PeerSigner);
    }

    internal void Complete(TlsSession session)
    {
        _session = session;
        Status = HandshakeStatus.Complete;
    }

    /// <summary>Messages must not go on across a change of keys (RFC 8446 §5.1).</summary>
    internal void RequireRecordBoundary()
    {
        if (!_messages.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A handshake message goes on across a change of keys (RFC 8446 §5.1).");
        }
    }

    /// <summary>Counts what a peer may send a few times without effect.</summary>
    internal void CountWarning()
    {
        if (++_warnings > Limits.MaxWarnings)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "Too many warnings.");
        }
    }

    private protected void Expect(HandshakeStatus status)
    {
        if (Status != status)
        {
            throw new InvalidOperationException($"The handshake is at {Status}, not at {status}.");
        }
    }

    /// <summary>Goes on with a step that the caller answered.</summary>
    private protected void Resume(Action<TlsHandshake> step)
    {
        try
        {
            Status = HandshakeStatus.NeedsRecord;
            step(this);
            ProcessMessages();
        }
        catch (Exception e)
        {
            throw Failed(e);
        }
    }

    private void Receive(ContentType type, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case ContentType.Handshake when !content.IsEmpty:
                _messages.Append(content);
                ProcessMessages();
                break;
            case ContentType.ChangeCipherSpec:
                ReceiveChangeCipherSpec(content);
                break;
            case ContentType.Alert:
                ReceiveAlert(content);
                break;
            default:
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} ({content.Length} bytes) in the handshake.");
        }
    }

    private void ProcessMessages()
    {
        while (Status == HandshakeStatus.NeedsRecord && _messages.TryRead(out HandshakeType type, out ReadOnlySpan<byte> message))
        {
            if (Flow is not null)
            {
                Flow.Receive(type, message);
            }
            else
            {
                Receive(type, message);
            }
        }
    }

    private void ReceiveChangeCipherSpec(ReadOnlySpan<byte> content)
    {
        if (content is not [1] || !_messages.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A change_cipher_spec that is malformed or inside a message.");
        }

        // It changes keys in TLS 1.2 (RFC 5246 §7.1). In TLS 1.3 it may come after the first ClientHello, and is dropped (RFC 8446 §5).
        if (Flow is { IsTls13: false })
        {
            Flow.ReceiveChangeCipherSpec();
        }
        else if (!HasStarted || ++_changeCipherSpecs > MaxChangeCipherSpecs)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A change_cipher_spec that is out of place.");
        }
    }

    private void ReceiveAlert(ReadOnlySpan<byte> content)
    {
        AlertDescription description = TlsAlert.Read(content);

        // TLS 1.3 has one warning that the handshake goes on after (RFC 8446 §6.1); until TLS 1.2 the level says so (RFC 5246 §7.2).
        bool isWarning = Flow is { IsTls13: true } ? description == AlertDescription.UserCanceled : TlsAlert.IsWarning(content);
        if (!isWarning || description == AlertDescription.CloseNotify)
        {
            throw TlsAlertException.FromPeer(description);
        }

        if (!_messages.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "An alert inside a handshake message (RFC 8446 §5.1).");
        }

        CountWarning();
    }

    // Whatever a peer can bring about comes out as an alert.
    private TlsAlertException Failed(Exception e)
    {
        TlsAlertException failure = e as TlsAlertException ?? new TlsAlertException(AlertDescription.InternalError, $"The handshake failed: {e.Message}", e);
        if (failure.ReceivedFromPeer)
        {
            Status = HandshakeStatus.Failed;
        }
        else
        {
            Fail(failure.Description);
        }

        return failure;
    }
}
