using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>Receives and opens the records of one connection. One call at a time.</summary>
internal abstract class ReceivePlane : IDisposable
{
    public abstract DataPlaneStatus Status { get; }

    /// <summary>Waits until there is something to receive, and takes nothing.</summary>
    public abstract ValueTask WaitAsync(CancellationToken cancellationToken);

    /// <summary>Receives content of one type: application data, or a part of a control record. The buffer is not empty.</summary>
    public abstract ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Opens the next record with other keys, from number 0 on.</summary>
    public abstract void ChangeKeys(RecordKeys keys);

    public abstract void Dispose();
}
