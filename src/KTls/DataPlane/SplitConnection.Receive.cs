using System.Runtime.CompilerServices;
using KTls.Diagnostics;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    private OperationGate _reading;
    private OpenedUsage _opened;
    private KeyUpdateRate _keyUpdateRate;
    private readonly bool _requireKernel;
    private readonly bool _requireCloseNotify;
    private readonly bool _expectPadding;
    private ReceivePlane _receive;
    private bool _handOverAtBoundary;
    private bool _closeNotifyReceived;
    private bool _hasEnded;
    private Exception? _receiveFailure;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        buffer.IsEmpty ? WaitAsync(cancellationToken) : ReceiveAsync(buffer, until: 0, cancellationToken);

    // Without a buffer there is nothing to block for inside recvmsg(2).
    public override int Read(Memory<byte> buffer, long until, CancellationToken cancellationToken)
    {
        ValueTask<int> reading = buffer.IsEmpty ? WaitAsync(cancellationToken) : ReceiveAsync(buffer, until, cancellationToken);
        return reading.IsCompleted ? reading.Result : reading.AsTask().GetAwaiter().GetResult();
    }

    // This is where idle connections are, so it is a method of its own: what it remembers meanwhile is no more than it needs.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(CancellationToken cancellationToken)
    {
        _reading.Enter("read");
        try
        {
            while (BeginReceive() && !_receive.HasSomething)
            {
                await _receive.WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            return 0;
        }
        catch (Exception e) when (e is IOException or TlsAlertException)
        {
            throw Fail(e);
        }
        finally
        {
            EndReceive();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, long until, CancellationToken cancellationToken)
    {
        _reading.Enter("read");
        _socket.ReceiveBlocksUntil = until;
        try
        {
            while (BeginReceive())
            {
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
        catch (Exception e) when (e is IOException or TlsAlertException)
        {
            throw Fail(e);
        }
        finally
        {
            EndReceive();
        }
    }

    // False at the end of the stream.
    private bool BeginReceive()
    {
        if (_hasEnded)
        {
            return false;
        }

        if (_receiveFailure is not null)
        {
            throw FailureAgain(_receiveFailure);
        }

        HandOverAtBoundary();
        GoOnAfterPause();
        return true;
    }

    private void EndReceive()
    {
        _socket.ReceiveBlocksUntil = 0;
        if (_reading.Exit())
        {
            ReleaseReceiving();
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

    private IOException Fail(Exception failure) => failure switch
    {
        TlsAlertException e => Fail(new IOException(e.Message, e), e.ReceivedFromPeer ? null : e.Description),
        KernelTlsException e => Fail(e, AlertFor(e)),
        KeyUpdateUnavailableException e => Fail(e, AlertDescription.InternalError),

        // TCP broke; an alert would not arrive.
        _ => Fail((IOException)failure, alert: null),
    };

    private IOException Fail(IOException failure, AlertDescription? alert)
    {
        if (_receiveFailure is not null)
        {
            // Told before, to the peer, too.
            return failure;
        }

        // Not for what is wrong at this end, such as a kernel that cannot change keys.
        if (failure.InnerException is TlsAlertException || alert is not (null or AlertDescription.InternalError))
        {
            _sessions?.Forget();
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
        if (_opened.Add(bytes) && _opened.Look(_limits, _receive.RecordsOpened) && CanChangeSendKeys)
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
