using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

/// <summary>The kernel seals: what we send is plaintext for it.</summary>
internal sealed class KernelSendPlane(KernelSocket socket, RecordKeys keys) : SendPlane
{
    private readonly KernelCipher _cipher = KernelKeys.CipherOf(keys.CipherSuite)!.Value;
    private bool? _canChangeKeys;

    public override DataPlaneStatus Status { get; } = new(DataPlaneKind.Kernel, FallbackReason.None, "The kernel has the keys.");

    public override bool CanChangeKeys => _canChangeKeys ??= RekeySupport.IsAvailable(_cipher);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        socket.SendAsync(data, cancellationToken);

    public override ValueTask SendControlAsync(ContentType type, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        socket.SendControlAsync((byte)type, content, cancellationToken);

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        socket.SendFileAsync(file, offset, count, cancellationToken);

    public override ValueTask FlushAsync(CancellationToken cancellationToken) => socket.FlushAsync(cancellationToken);

    public override bool NeedsFlush => !socket.HasRoomToSend;

    public override void ChangeKeys(RecordKeys keys)
    {
        int errno = KernelKeys.Install(socket, KernelDirection.Send, keys, keys.Sequence);
        if (errno != 0)
        {
            throw SocketFailure.ToRefusal(KernelCalls.SetSendKeys, errno);
        }
    }

    public override void Dispose()
    {
        // The kernel's keys go with the socket.
    }
}
