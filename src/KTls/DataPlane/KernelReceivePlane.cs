using System.Runtime.CompilerServices;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>The kernel opens: what we receive is plaintext, with its type beside it.</summary>
internal sealed class KernelReceivePlane(KernelSocket socket, RecordKeys keys) : ReceivePlane
{
    // The type of a KeyUpdate (RFC 8446 §4).
    private const byte KeyUpdateType = 24;

    private readonly KernelCipher _cipher = KernelKeys.CipherOf(keys.CipherSuite)!.Value;
    private readonly bool _canPause = keys.Protocol == System.Security.Authentication.SslProtocols.Tls13;
    private bool _isInsideRecord;
    private bool _hasStopped;

    public override DataPlaneStatus Status { get; } = new(DataPlaneKind.Kernel, "The kernel has the keys.");

    public override ulong? RecordsOpened => socket.GetSequence(KernelDirection.Receive, _cipher, out ulong sequence) == 0 ? sequence : null;

    // The kernel stops at a handshake record whose first byte says KeyUpdate (EKEYEXPIRED) until it has keys again. That may also be
    // the first part of a KeyUpdate, or a later part of another message.
    public override bool IsPaused => _hasStopped && !_isInsideRecord;

    public override ValueTask WaitAsync(CancellationToken cancellationToken) =>
        _canPause ? socket.WaitForRecordAsync(cancellationToken) : socket.WaitReadableAsync(cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ReceivedRecord received = await socket.ReceiveRecordAsync(buffer, cancellationToken).ConfigureAwait(false);
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
        int errno = socket.GetSequence(KernelDirection.Receive, _cipher, out ulong sequence);
        if (errno != 0)
        {
            throw new KernelTlsException(KernelCalls.GetReceiveKeys, errno);
        }

        Install(keys, sequence);
    }

    public override void Dispose()
    {
        // The kernel's keys go with the socket.
    }

    private void Install(RecordKeys keys, ulong sequence)
    {
        int errno = KernelKeys.Install(socket, KernelDirection.Receive, keys, sequence);
        if (errno == 0)
        {
            _hasStopped = false;
            return;
        }

        var refusal = new KernelTlsException(KernelCalls.SetReceiveKeys, errno);
        throw errno != ErrorNumber.EBUSY
            ? refusal
            : new KeyUpdateUnavailableException("The peer has changed its keys (KeyUpdate), and the kernel, which opens this connection, cannot: that needs Linux 6.14 or later. KTlsOptions.ReceiveWithoutRekey says how to receive in user space there.", refusal);
    }
}
