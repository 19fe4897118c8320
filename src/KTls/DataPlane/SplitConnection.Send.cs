using System.Runtime.CompilerServices;
using KTls.Handshake;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    // Alerts come from readers, too; whoever sends holds this.
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly SendPlane _send;
    private int _isWriting;
    private bool _owesKeyUpdate;
    private bool _isShutDown;
    private Exception? _sendFailure;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _owesKeyUpdate))
            {
                await UpdateSendKeysAsync(cancellationToken).ConfigureAwait(false);
            }

            await _send.SendAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndWrite();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _owesKeyUpdate))
            {
                await UpdateSendKeysAsync(cancellationToken).ConfigureAwait(false);
            }

            return await _send.SendFileAsync(file, offset, count, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndWrite();
        }
    }

    public override async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfFailed();
            if (!_isShutDown)
            {
                await _send.FlushAsync(cancellationToken).ConfigureAwait(false);
                await _send.SendControlAsync(ContentType.Alert, TlsAlert.Create(AlertDescription.CloseNotify), cancellationToken).ConfigureAwait(false);
                _isShutDown = true;
                await _send.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    private ValueTask BeginWriteAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
        {
            throw new NotSupportedException("Another write operation is under way.");
        }

        if (!cancellationToken.IsCancellationRequested && _sending.Wait(0, CancellationToken.None))
        {
            return EnterWrite();
        }

        return BeginWriteSlowlyAsync(cancellationToken);
    }

    private async ValueTask BeginWriteSlowlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref _isWriting, 0);
            throw;
        }

        await EnterWrite().ConfigureAwait(false);
    }

    private ValueTask EnterWrite()
    {
        if (!_isShutDown && Volatile.Read(ref _sendFailure) is null)
        {
            return default;
        }

        EndWrite();
        ThrowIfFailed();
        throw new InvalidOperationException("The stream was shut down; nothing can be written after close_notify.");
    }

    // After a fatal alert of either side nothing more may be sent (RFC 8446 §6.2).
    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _sendFailure) is { } failure)
        {
            throw new IOException("The connection has failed before: " + failure.Message, failure);
        }
    }

    private void EndWrite()
    {
        _sending.Release();
        Volatile.Write(ref _isWriting, 0);
    }

    // KeyUpdate under the old keys, then the new ones (RFC 8446 §4.6.3).
    private async ValueTask UpdateSendKeysAsync(CancellationToken cancellationToken)
    {
        if (!_send.CanChangeKeys)
        {
            // The kernel has no way to change the keys: the old ones serve on.
            Volatile.Write(ref _owesKeyUpdate, false);
            return;
        }

        // A request that comes from here on is a new one.
        Volatile.Write(ref _owesKeyUpdate, false);
        await _send.SendControlAsync(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate: false), cancellationToken).ConfigureAwait(false);
        try
        {
            _session.UpdateSendKeys();
            using RecordKeys keys = _session.GetSendKeys();
            _send.ChangeKeys(keys);
        }
        catch (Exception e)
        {
            // The peer expects the new keys: under the old ones nothing may follow.
            Volatile.Write(ref _sendFailure, e);
            throw;
        }

        Log.KeyUpdateSent(_logger);
    }

    // The connection ends anyway: the alert is a courtesy that waits for nothing, neither a writer nor a full buffer.
    private void TrySendAlert(AlertDescription description)
    {
        if (!_sending.Wait(0))
        {
            return;
        }

        using var now = new CancellationTokenSource();
        try
        {
            ValueTask sent = _send.SendControlAsync(ContentType.Alert, TlsAlert.Create(description), now.Token);
            if (!sent.IsCompleted)
            {
                now.Cancel();
            }

            sent.AsTask().ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
        }
        finally
        {
            _sending.Release();
        }
    }
}
