using System.Security.Authentication;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

/// <summary>The kernel seals: what we send is plaintext for it.</summary>
internal sealed class KernelSendPlane(KernelSocket socket, RecordKeys keys) : SendPlane
{
    private readonly KernelCipher _cipher = KernelKeys.CipherOf(keys.CipherSuite)!.Value;

    public override DataPlaneStatus Status => new(DataPlaneKind.Kernel, FallbackReason.None, "The kernel has the keys.");

    // Readers and writers ask at the same time, and must hear the same for as long as the connection lives.
    public override bool CanChangeKeys { get; } =
        keys.Protocol == SslProtocols.Tls13 && RekeySupport.IsAvailable(KernelKeys.CipherOf(keys.CipherSuite)!.Value);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        socket.SendAsync(data, cancellationToken);

    public override ValueTask SendControlAsync(ContentType type, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        socket.SendControlAsync((byte)type, content, cancellationToken);

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        socket.SendFileAsync(file, offset, count, cancellationToken);

    public override ValueTask FlushAsync(CancellationToken cancellationToken) => socket.FlushAsync(cancellationToken);

    public override bool NeedsFlush => !socket.HasRoomToSend;

    // What is sealed is the kernel's.
    public override byte[] TakeUnsent() => [];

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
