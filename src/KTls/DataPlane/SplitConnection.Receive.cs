using System.Runtime.CompilerServices;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    // Messages, alerts and empty records in a row; a peer that sends more of them keeps us busy for nothing.
    private const int MaxWithoutData = 64;

    private readonly OperationGate _reading;
    private readonly PostHandshakeReader _postHandshake;
    private readonly byte[] _alert = new byte[TlsAlert.Size];
    private readonly bool _requireKernel;
    private ReceivePlane _receive;
    private bool _handOverAtBoundary;
    private int _alertLength;
    private int _withoutData;
    private bool _closeNotifyReceived;
    private bool _hasEnded;
    private Exception? _receiveFailure;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _reading.Enter("read");
        try
        {
            while (!_hasEnded)
            {
                ThrowIfReceivingFailed();
                HandOverAtBoundary();
                if (buffer.IsEmpty)
                {
                    await _receive.WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                }

                ReceivedRecord received = await _receive.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (received.ContentType == ReceivedRecord.ApplicationData && received.Length != 0 && !_postHandshake.IsInsideMessage && _alertLength == 0)
                {
                    _withoutData = 0;
                    return received.Length;
                }

                ReceiveControl(received, buffer.Span[..received.Length]);
            }

            return 0;
        }
        catch (TlsAlertException e)
        {
            throw Fail(e, new IOException(e.Message, e));
        }
        catch (KernelTlsException e)
        {
            throw Fail(new TlsAlertException(AlertFor(e), e.Message, e), e);
        }
        finally
        {
            _reading.Exit();
        }
    }

    // What the kernel could not open, in the words of RFC 8446 §6.2.
    private static AlertDescription AlertFor(KernelTlsException e) => e.Errno switch
    {
        ErrorNumber.EBADMSG => AlertDescription.BadRecordMac,
        ErrorNumber.EMSGSIZE => AlertDescription.RecordOverflow,
        ErrorNumber.EINVAL => AlertDescription.UnexpectedMessage,
        _ => AlertDescription.InternalError,
    };

    private void ThrowIfReceivingFailed()
    {
        if (_receiveFailure is not null)
        {
            throw new IOException("The connection has failed before: " + _receiveFailure.Message, _receiveFailure);
        }
    }

    private Exception Fail(TlsAlertException alert, Exception failure)
    {
        _receiveFailure = failure;
        Volatile.Write(ref _sendFailure, failure);
        if (!alert.ReceivedFromPeer)
        {
            TrySendAlert(alert.Description);
        }

        return failure;
    }

    private void HandOverAtBoundary()
    {
        if (!_handOverAtBoundary || _receive is not UserReceivePlane { IsAtBoundary: true } early)
        {
            return;
        }

        _handOverAtBoundary = false;
        using RecordKeys keys = _session.GetReceiveKeys();
        int errno = KernelKeys.Install(_socket, KernelDirection.Receive, keys, early.Sequence);
        if (errno == 0)
        {
            Log.ReceiveHandedOver(_logger, early.Sequence);
            Volatile.Write(ref _receive, new KernelReceivePlane(_socket));
            early.Dispose();
            return;
        }

        var refusal = new KernelTlsException(KernelCalls.SetReceiveKeys, errno);
        if (_requireKernel)
        {
            throw refusal;
        }

        Log.KernelRefusesKeys(_logger, KernelDirections.Receive, refusal.Message);
        early.StayForGood(refusal.Message);
    }

    private void ReceiveControl(ReceivedRecord received, ReadOnlySpan<byte> content)
    {
        if (received.EndOfStream)
        {
            _hasEnded = true;
            return;
        }

        if (_alertLength != 0 && received.ContentType != (byte)ContentType.Alert)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "An alert that is not of two bytes.");
        }

        var type = (ContentType)received.ContentType;
        if (type != ContentType.Handshake && _postHandshake.IsInsideMessage)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} inside a handshake message (RFC 8446 §5.1).");
        }

        switch (type)
        {
            case ContentType.ApplicationData:
                CountWithoutData();
                break;
            case ContentType.Alert:
                ReceiveAlert(content);
                break;
            case ContentType.Handshake:
                ReceiveHandshake(content);
                break;
            default:
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} after the handshake.");
        }
    }

    private void CountWithoutData()
    {
        if (++_withoutData > MaxWithoutData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"More than {MaxWithoutData} messages in a row without data.");
        }
    }

    // A reader with a buffer of one byte gets an alert in two parts.
    private void ReceiveAlert(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty || content.Length > TlsAlert.Size - _alertLength)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "An alert that is not of two bytes.");
        }

        content.CopyTo(_alert.AsSpan(_alertLength));
        _alertLength += content.Length;
        if (_alertLength < TlsAlert.Size)
        {
            return;
        }

        _alertLength = 0;
        AlertDescription description = TlsAlert.Read(_alert);
        switch (description)
        {
            case AlertDescription.CloseNotify:
                _closeNotifyReceived = true;
                _hasEnded = true;
                break;
            case AlertDescription.UserCanceled:
                // A close_notify follows (RFC 8446 §6.1).
                CountWithoutData();
                break;
            default:
                if (_session.CanUpdateKeys || !TlsAlert.IsWarning(_alert))
                {
                    throw TlsAlertException.FromPeer(description);
                }

                // TLS 1.2 goes on after a warning (RFC 5246 §7.2).
                CountWithoutData();
                break;
        }
    }

    private void ReceiveHandshake(ReadOnlySpan<byte> content)
    {
        _postHandshake.Append(content);
        while (_postHandshake.TryRead(out PostHandshakeMessage message))
        {
            CountWithoutData();
            switch (message)
            {
                case PostHandshakeMessage.NewSessionTicket:
                    KeepSession();
                    continue;
                case PostHandshakeMessage.Renegotiation:
                    TrySendAlert(AlertDescription.NoRenegotiation);
                    continue;
            }

            bool updateRequested = message == PostHandshakeMessage.KeyUpdateRequested;
            Log.KeyUpdateReceived(_logger, updateRequested);
            _session.UpdateReceiveKeys();
            using RecordKeys keys = _session.GetReceiveKeys();
            _receive.ChangeKeys(keys);
            if (updateRequested)
            {
                // Due before our next data (RFC 8446 §4.6.3): the next write sees to it.
                Volatile.Write(ref _owesKeyUpdate, true);
            }
        }
    }

    private void KeepSession()
    {
        if (_postHandshake.Ticket is { } session)
        {
            Authentication.Establishment.Keep(_sessions, session);
        }
    }
}
