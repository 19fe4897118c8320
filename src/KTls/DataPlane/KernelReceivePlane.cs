using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>The kernel opens: what we receive is plaintext, with its type beside it.</summary>
internal sealed class KernelReceivePlane(KernelSocket socket) : ReceivePlane
{
    public override DataPlaneStatus Status { get; } = new(DataPlaneKind.Kernel, "The kernel has the keys.");

    public override ValueTask WaitAsync(CancellationToken cancellationToken) => socket.WaitReadableAsync(cancellationToken);

    public override ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        socket.ReceiveRecordAsync(buffer, cancellationToken);

    // The kernel has stopped at the KeyUpdate and waits for these keys.
    public override void ChangeKeys(RecordKeys keys)
    {
        int errno = KernelKeys.Install(socket, KernelDirection.Receive, keys, keys.Sequence);
        if (errno != 0)
        {
            throw new KernelTlsException(KernelCalls.SetReceiveKeys, errno);
        }
    }

    public override void Dispose()
    {
        // The kernel's keys go with the socket.
    }
}
