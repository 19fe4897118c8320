using Microsoft.Win32.SafeHandles;

namespace KTls;

/// <summary>What a <see cref="KTlsStream"/> stands on after the handshake: our own two planes, or SslStream.</summary>
internal abstract class Connection : IAsyncDisposable
{
    /// <summary>What a reader is told that wants certainty (<see cref="KTlsOptions.RequireCloseNotify"/>).</summary>
    protected const string NoCloseNotify = "The peer ended TCP without close_notify: data may be missing (RFC 8446 §6.1).";

    /// <summary>What the handshake agreed on.</summary>
    public abstract ConnectionFacts Facts { get; }

    /// <summary>Who seals.</summary>
    public abstract DataPlaneStatus Sending { get; }

    /// <summary>Who opens.</summary>
    public abstract DataPlaneStatus Receiving { get; }

    /// <summary>Whether the peer's close_notify has come.</summary>
    public abstract bool CloseNotifyReceived { get; }

    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Reads, and is done when it returns.</summary>
    /// <param name="buffer">Where to put the data.</param>
    /// <param name="until">The thread may wait until <see cref="Environment.TickCount64"/> is that.</param>
    /// <param name="cancellationToken">Is cancelled then, too.</param>
    public abstract int Read(Memory<byte> buffer, long until, CancellationToken cancellationToken);

    /// <summary>Writes, and is done when it returns.</summary>
    /// <param name="buffer">The data.</param>
    /// <param name="until">The thread may wait until <see cref="Environment.TickCount64"/> is that.</param>
    /// <param name="cancellationToken">Is cancelled then, too.</param>
    public abstract void Write(ReadOnlyMemory<byte> buffer, long until, CancellationToken cancellationToken);

    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    public abstract ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken);

    /// <summary>Sends a part of a file, and is done when it returns.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="count">So many bytes.</param>
    /// <param name="until">The thread may wait until <see cref="Environment.TickCount64"/> is that.</param>
    /// <param name="cancellationToken">Is cancelled then, too.</param>
    /// <returns>Bytes sent.</returns>
    public abstract long SendFile(SafeFileHandle file, long offset, long count, long until, CancellationToken cancellationToken);

    /// <summary>Keying material for an application; null where the handshake's secrets are not ours.</summary>
    public abstract byte[]? ExportKeyingMaterial(string label, byte[]? context, int length);

    public abstract Task UpdateKeysAsync(bool requestPeerUpdate, CancellationToken cancellationToken);

    public abstract Task ShutdownAsync(CancellationToken cancellationToken);

    public abstract void Dispose();

    /// <summary>The same failure for whoever comes later: what TCP has told once it does not tell again.</summary>
    protected static IOException FailureAgain(Exception failure) => failure switch
    {
        KernelTlsException e => new KernelTlsException(e.Call, e.Errno),
        KeyUpdateUnavailableException e => new KeyUpdateUnavailableException(e.Message, e.InnerException),
        EndOfStreamException e => new EndOfStreamException(e.Message),
        _ => new IOException(failure.Message, failure.InnerException),
    };

    public abstract ValueTask DisposeAsync();
}
