using System.Runtime.CompilerServices;
using System.Security.Authentication;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>The kernel opens: what we receive is plaintext, with its type beside it.</summary>
internal sealed class KernelReceivePlane : ReceivePlane
{
    // The type of a KeyUpdate (RFC 8446 §4).
    private const byte KeyUpdateType = 24;

    private readonly KernelSocket _socket;
    private readonly KernelCipher _cipher;
    private readonly bool _canPause;
    private bool _isInsideRecord;
    private bool _hasStopped;

    /// <summary>Creates the plane after the kernel has taken the keys: nothing here can fail.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="expectPadding">Whether the peer is known to pad its records.</param>
    public KernelReceivePlane(KernelSocket socket, RecordKeys keys, bool expectPadding)
    {
        _socket = socket;
        _cipher = KernelKeys.CipherOf(keys.CipherSuite)!.Value;
        _canPause = keys.Protocol == SslProtocols.Tls13;
        if (keys.Protocol == SslProtocols.Tls13 && !expectPadding)
        {
            // A kernel that does not know the option copies once more, that is all.
            _ = socket.ExpectNoPadding();
        }
    }

    public override DataPlaneStatus Status => new(DataPlaneKind.Kernel, FallbackReason.None, "The kernel has the keys.");

    public override ulong? RecordsOpened => _socket.GetSequence(KernelDirection.Receive, _cipher, out ulong sequence) == 0 ? sequence : null;

    // The kernel stops at a handshake record whose first byte says KeyUpdate (EKEYEXPIRED) until it has keys again. That may also be
    // the first part of a KeyUpdate, or a later part of another message.
    public override bool IsPaused => _hasStopped && !_isInsideRecord;

    public override bool HasSomething => _canPause ? _socket.HasRecord : _socket.IsReadable;

    public override ValueTask WaitAsync(CancellationToken cancellationToken) => _socket.WaitReadableAsync(cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ReceivedRecord received = await _socket.ReceiveRecordAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (received.ContentType == (byte)ContentType.Handshake)
        {
            _hasStopped |= _canPause && !_isInsideRecord && received.Length != 0 && buffer.Span[0] == KeyUpdateType && RekeySupport.IsAvailable(_cipher);
            _isInsideRecord = !received.EndOfRecord;
        }

        return received;
    }

    public override void ChangeKeys(RecordKeys keys) => Install(keys, keys.Sequence);

    public override void GoOnWithSameKeys(RecordKeys keys)
    {
        int errno = _socket.GetSequence(KernelDirection.Receive, _cipher, out ulong sequence);
        if (errno != 0)
        {
            throw SocketFailure.ToRefusal(KernelCalls.GetReceiveKeys, errno);
        }

        Install(keys, sequence);
    }

    public override void Dispose()
    {
        // The kernel's keys go with the socket.
    }

    private void Install(RecordKeys keys, ulong sequence)
    {
        int errno = KernelKeys.Install(_socket, KernelDirection.Receive, keys, sequence);
        if (errno == 0)
        {
            _hasStopped = false;
            return;
        }

        KernelTlsException refusal = SocketFailure.ToRefusal(KernelCalls.SetReceiveKeys, errno);
        throw errno != ErrorNumber.EBUSY
            ? refusal
            : new KeyUpdateUnavailableException("The peer has changed its keys (KeyUpdate), and the kernel, which opens this connection, cannot: that needs Linux 6.14 or later. KTlsOptions.ReceiveWithoutRekey says how to receive in user space there.", refusal);
    }
}
