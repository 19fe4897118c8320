using Microsoft.Win32.SafeHandles;

namespace KTls;

/// <summary>What a <see cref="KTlsStream"/> stands on after the handshake: our own two planes, or SslStream.</summary>
internal abstract class Connection : IAsyncDisposable
{
    /// <summary>What the handshake agreed on.</summary>
    public abstract ConnectionFacts Facts { get; }

    /// <summary>Who seals.</summary>
    public abstract DataPlaneStatus Sending { get; }

    /// <summary>Who opens.</summary>
    public abstract DataPlaneStatus Receiving { get; }

    /// <summary>Whether the peer's close_notify has come; null where that cannot be known.</summary>
    public abstract bool? CloseNotifyReceived { get; }

    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    public abstract ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken);

    public abstract Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken);

    public abstract Task ShutdownAsync(CancellationToken cancellationToken);

    public abstract void Dispose();

    public abstract ValueTask DisposeAsync();
}
