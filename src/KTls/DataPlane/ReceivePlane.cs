using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>Receives and opens the records of one connection. One call at a time.</summary>
internal abstract class ReceivePlane : IDisposable
{
    public abstract DataPlaneStatus Status { get; }

    /// <summary>Whether there is something to receive now. Takes nothing.</summary>
    public abstract bool HasSomething { get; }

    /// <summary>
    /// To be called when there is nothing: waits until there may be something, and takes nothing. Whoever waits looks again, so that this
    /// needs no state for the wait, which may be long.
    /// </summary>
    public abstract ValueTask WaitAsync(CancellationToken cancellationToken);

    /// <summary>Receives content of one type: application data, or a part of a control record. The buffer is not empty.</summary>
    public abstract ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Records that were opened with the current keys, or a little less; null when that is not known.</summary>
    public abstract ulong? RecordsOpened { get; }

    /// <summary>Whether nothing comes any more before <see cref="GoOnWithSameKeys"/>.</summary>
    public virtual bool IsPaused => false;

    /// <summary>Opens the next record with other keys, from number 0 on.</summary>
    /// <exception cref="KeyUpdateUnavailableException">The kernel cannot change keys.</exception>
    /// <exception cref="KernelTlsException">The kernel refuses the keys.</exception>
    public abstract void ChangeKeys(RecordKeys keys);

    /// <summary>Ends a pause that no KeyUpdate has caused.</summary>
    /// <exception cref="KernelTlsException">The kernel refuses the keys.</exception>
    public virtual void GoOnWithSameKeys(RecordKeys keys) => throw new InvalidOperationException("This plane never pauses.");

    public abstract void Dispose();
}
