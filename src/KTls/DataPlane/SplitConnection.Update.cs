using KTls.Diagnostics;
using KTls.Handshake;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    private readonly KeyLimits _limits;
    private readonly UpdateRequestWithoutRekey _updateRequestWithoutRekey;

    // The peer has asked for an update of our keys; it is due before our next data (RFC 8446 §4.6.3).
    private bool _owesKeyUpdate;
    private bool _hasRefusedUpdate;

    // Our KeyUpdate is out, and the new keys are not in use: not even an alert may follow.
    private bool _hasLostSendKeys;

    private bool CanChangeSendKeys => _session.CanUpdateKeys && _send.CanChangeKeys;

    public override async Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken)
    {
        if (!_session.CanUpdateKeys)
        {
            throw new InvalidOperationException("TLS 1.2 has no KeyUpdate: its keys never change.");
        }

        if (!_send.CanChangeKeys)
        {
            throw new PlatformNotSupportedException("The kernel seals this connection and cannot change keys, which needs Linux 6.14 or later.");
        }

        await LockSendingAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfNothingMayBeSent();

            // What answers a request requests nothing itself (RFC 8446 §4.6.3), or two peers would go on for ever.
            if (!requestPeerUpdate || Volatile.Read(ref _owesKeyUpdate))
            {
                await UpdateSendKeysAsync(requestPeerUpdate: false, cancellationToken).ConfigureAwait(false);
            }

            if (requestPeerUpdate)
            {
                await UpdateSendKeysAsync(requestPeerUpdate: true, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            UnlockSending();
        }
    }

    // Before the first piece of a write it is measured as a whole: rather none of it is sent than half.
    private ValueTask PrepareKeysAsync(long bytes, int recordSize, bool isFirst, CancellationToken cancellationToken)
    {
        if (CanChangeSendKeys)
        {
            return Volatile.Read(ref _owesKeyUpdate) || _sealed.Allowance(_limits, 1, recordSize) == 0
                ? UpdateSendKeysAsync(requestPeerUpdate: false, cancellationToken)
                : default;
        }

        if (Volatile.Read(ref _owesKeyUpdate))
        {
            if (_updateRequestWithoutRekey == UpdateRequestWithoutRekey.Close)
            {
                return EndAsync("The peer asks for new keys, which this kernel cannot change (it needs Linux 6.14 or later), and the options say to close then.", cancellationToken);
            }

            Volatile.Write(ref _owesKeyUpdate, false);
            if (!_hasRefusedUpdate)
            {
                _hasRefusedUpdate = true;
                Log.KeysStay(_logger);
            }
        }

        return !isFirst || _sealed.Permits(_limits, bytes, recordSize, MaxPiece)
            ? default
            : EndAsync($"The key for sending has sealed {_sealed.Bytes} bytes and may not seal {bytes} more, and cannot change ({(_session.CanUpdateKeys ? "the kernel needs to be Linux 6.14 or later" : "TLS 1.2 has no KeyUpdate")}). Use a new connection.", cancellationToken);
    }

    // KeyUpdate under the old keys, then the new ones (RFC 8446 §4.6.3).
    private async ValueTask UpdateSendKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken)
    {
        // A request that comes from here on is a new one.
        bool owed = !requestPeerUpdate && Interlocked.Exchange(ref _owesKeyUpdate, false);
        try
        {
            await SendControlAsync(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestPeerUpdate), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (owed)
        {
            Volatile.Write(ref _owesKeyUpdate, true);
            throw;
        }

        try
        {
            _session.UpdateSendKeys();
            using RecordKeys keys = _session.GetSendKeys();
            _send.ChangeKeys(keys);
            _sealed = default;
        }
        catch (Exception e)
        {
            // The peer expects the new keys: under the old ones nothing may follow.
            _hasLostSendKeys = true;
            Volatile.Write(ref _sendFailure, e);
            throw;
        }

        Log.KeyUpdateSent(_logger, requestPeerUpdate);
        Instruments.KeyUpdateSent();
    }

    // No more data from us, but still everything from the peer.
    private async ValueTask EndAsync(string reason, CancellationToken cancellationToken)
    {
        Log.EndsWithoutKeyUpdate(_logger, reason);
        var failure = new KeyUpdateUnavailableException(reason);
        try
        {
            await SendCloseNotifyAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Cancelled before that, the connection has not ended: the next write ends it.
            if (_isShutDown)
            {
                Volatile.Write(ref _sendFailure, failure);
            }
        }

        throw failure;
    }

    // The peer has used its keys for long. A reader waits for no writer and no room.
    private async Task RequestPeerUpdateAsync()
    {
        try
        {
            await LockSendingAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                if (!_isShutDown && Volatile.Read(ref _sendFailure) is null)
                {
                    await UpdateSendKeysAsync(requestPeerUpdate: true, CancellationToken.None).ConfigureAwait(false);
                }
            }
            finally
            {
                UnlockSending();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The next write or read tells.
        }
    }
}
