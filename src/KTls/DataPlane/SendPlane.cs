using KTls.Handshake;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

/// <summary>Seals and sends the records of one connection. One call at a time.</summary>
internal abstract class SendPlane : IDisposable
{
    public abstract DataPlaneStatus Status { get; }

    /// <summary>Sends application data, in as many records as it takes.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Sends one record of another type.</summary>
    public abstract ValueTask SendControlAsync(ContentType type, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Sends a part of a file as application data; returns fewer bytes than asked for only when the file ended.</summary>
    public abstract ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken);

    /// <summary>Waits until what was sent no longer depends on the socket staying open.</summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Whether <see cref="FlushAsync"/> would wait.</summary>
    public abstract bool NeedsFlush { get; }

    /// <summary>Sends what is sealed here and not out, as far as there is room now, and gives up the rest.</summary>
    /// <returns>The rest, to be sent before the socket is closed, or a record would be cut in half.</returns>
    public abstract byte[] TakeUnsent();

    /// <summary>Whether <see cref="ChangeKeys"/> can work, as far as that can be known before it is tried.</summary>
    public abstract bool CanChangeKeys { get; }

    /// <summary>Seals the next record with other keys, from number 0 on.</summary>
    public abstract void ChangeKeys(RecordKeys keys);

    public abstract void Dispose();
}
