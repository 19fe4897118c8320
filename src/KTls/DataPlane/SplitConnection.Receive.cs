using System.Runtime.CompilerServices;
using KTls.Diagnostics;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    private readonly OperationGate _reading;
    private readonly OpenedUsage _opened;
    private readonly KeyUpdateRate _keyUpdateRate;
    private readonly bool _requireKernel;
    private readonly bool _requireCloseNotify;
    private readonly bool _expectPadding;
    private ReceivePlane _receive;
    private bool _handOverAtBoundary;
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
                if (_receiveFailure is not null)
                {
                    throw FailureAgain(_receiveFailure);
                }

                HandOverAtBoundary();
                GoOnAfterPause();
                if (buffer.IsEmpty)
                {
                    await _receive.WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                }

                ReceivedRecord received = await _receive.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (received.ContentType == ReceivedRecord.ApplicationData && received.Length != 0 && !IsInsideControl)
                {
                    CountData(received.Length);
                    return received.Length;
                }

                ReceiveControl(received, buffer.Span[..received.Length]);
            }

            return 0;
        }
        catch (TlsAlertException e)
        {
            throw Fail(new IOException(e.Message, e), e.ReceivedFromPeer ? null : e.Description);
        }
        catch (KernelTlsException e)
        {
            throw Fail(e, AlertFor(e));
        }
        catch (KeyUpdateUnavailableException e)
        {
            throw Fail(e, AlertDescription.InternalError);
        }
        catch (IOException e)
        {
            // TCP broke; an alert would not arrive.
            throw Fail(e, alert: null);
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

    private IOException Fail(IOException failure, AlertDescription? alert)
    {
        if (_receiveFailure is not null)
        {
            // Told before, to the peer, too.
            return failure;
        }

        _receiveFailure = failure;
        Interlocked.CompareExchange(ref _sendFailure, failure, null);
        if (alert is { } description)
        {
            SendAlert(description);
        }

        return failure;
    }

    private void CountData(int bytes)
    {
        _withoutData = 0;
        _keyUpdateRate.Add(bytes);
        if (_opened.Add(bytes) && _opened.Look(_receive.RecordsOpened) && CanChangeSendKeys)
        {
            _ = RequestPeerUpdateAsync();
        }
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
            Volatile.Write(ref _receive, new KernelReceivePlane(_socket, keys, _expectPadding));
            early.Dispose();
            return;
        }

        KernelTlsException refusal = SocketFailure.ToRefusal(KernelCalls.SetReceiveKeys, errno);
        if (_requireKernel)
        {
            throw refusal;
        }

        var obstacle = Obstacle.KeysRefused(refusal);
        Log.KernelRefusesKeys(_logger, KernelDirections.Receive, obstacle.Text);
        Instruments.FallsBack(obstacle.Reason, KernelDirections.Receive);
        early.StayForGood(obstacle);
    }

    // Looking at the first byte only, the kernel also stops at what is not a whole KeyUpdate. It wants keys: it gets those it has.
    private void GoOnAfterPause()
    {
        if (_receive.IsPaused)
        {
            using RecordKeys keys = _session.GetReceiveKeys();
            _receive.GoOnWithSameKeys(keys);
        }
    }
}
