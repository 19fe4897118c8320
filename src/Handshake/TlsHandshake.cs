using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>
/// A TLS 1.3 handshake without I/O: the caller feeds it the peer's records one by one, sends what stands in
/// <see cref="Output"/> after every step, and answers what <see cref="Status"/> asks for. Not for several threads at once.
/// </summary>
public abstract class TlsHandshake : IDisposable
{
    // Chains with large keys fit well; a peer can make us hold no more than this.
    private const int MaxMessageSize = 64 * 1024;

    // A peer sends one (RFC 8446 §D.4). More than a few are no middlebox's work.
    private const int MaxChangeCipherSpecs = 8;

    // user_canceled is the only warning that TLS 1.3 knows (RFC 8446 §6.1).
    private const int MaxWarnings = 4;

    private readonly HandshakeMessageBuffer _messages = new(MaxMessageSize);
    private int _changeCipherSpecs;
    private int _warnings;
    private TlsSession? _session;

    private protected TlsHandshake()
    {
    }

    /// <summary>What the handshake waits for.</summary>
    public HandshakeStatus Status { get; private protected set; }

    /// <summary>Records to send before anything else happens; valid until the next call. Also after a failure: the alert.</summary>
    public ReadOnlyMemory<byte> Output => Records.Output;

    private protected HandshakeRecords Records { get; } = new();

    /// <summary>Whether a ClientHello has been sent or received: change_cipher_spec may come from then on (RFC 8446 §5).</summary>
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

    /// <summary>Gives up: writes an alert to <see cref="Output"/>.</summary>
    /// <param name="alert">The reason for the peer.</param>
    public void Fail(AlertDescription alert)
    {
        if (Status is not (HandshakeStatus.Complete or HandshakeStatus.Failed))
        {
            Records.Send(ContentType.Alert, TlsAlert.Create(alert));
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

    private protected abstract void Receive(HandshakeType type, ReadOnlySpan<byte> message);

    /// <summary>Frees what the role holds.</summary>
    /// <param name="disposing">Always true.</param>
    protected virtual void Dispose(bool disposing)
    {
        _session?.Dispose();
        _messages.Dispose();
        Records.Dispose();
    }

    private protected void Expect(HandshakeStatus status)
    {
        if (Status != status)
        {
            throw new InvalidOperationException($"The handshake is at {Status}, not at {status}.");
        }
    }

    /// <summary>Goes on with a step that the caller answered.</summary>
    private protected void Resume(Action step)
    {
        try
        {
            Status = HandshakeStatus.NeedsRecord;
            step();
            ProcessMessages();
        }
        catch (Exception e)
        {
            throw Failed(e);
        }
    }

    private protected void Complete(TlsSession session)
    {
        _session = session;
        Status = HandshakeStatus.Complete;
    }

    /// <summary>Messages must not go on across a change of keys (RFC 8446 §5.1).</summary>
    private protected void RequireRecordBoundary()
    {
        if (!_messages.IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A handshake message goes on across a change of keys (RFC 8446 §5.1).");
        }
    }

    [DoesNotReturn]
    private protected static void Unexpected(HandshakeType type) =>
        throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The message {type} is out of place.");

    private void Receive(ContentType type, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case ContentType.Handshake when !content.IsEmpty:
                _messages.Append(content);
                ProcessMessages();
                break;
            case ContentType.ChangeCipherSpec:
                DropChangeCipherSpec(content);
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
            Receive(type, message);
        }
    }

    // RFC 8446 §5: the single byte 1, after the first ClientHello, between messages: dropped. Anything else is an error.
    private void DropChangeCipherSpec(ReadOnlySpan<byte> content)
    {
        if (!HasStarted || content is not [1] || !_messages.IsEmpty || ++_changeCipherSpecs > MaxChangeCipherSpecs)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A change_cipher_spec that is out of place.");
        }
    }

    private void ReceiveAlert(ReadOnlySpan<byte> content)
    {
        AlertDescription description = TlsAlert.Read(content);
        if (description == AlertDescription.UserCanceled && ++_warnings <= MaxWarnings)
        {
            if (!_messages.IsEmpty)
            {
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, "An alert inside a handshake message (RFC 8446 §5.1).");
            }

            return;
        }

        throw TlsAlertException.FromPeer(description);
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
