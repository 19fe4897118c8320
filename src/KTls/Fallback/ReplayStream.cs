using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace KTls.Fallback;

/// <summary>
/// A socket's stream in front of which stand the bytes that were read from it before, and which remembers that it has ended.
/// It leaves the socket open.
/// </summary>
internal sealed class ReplayStream(Socket socket, ReadOnlyMemory<byte> replay) : NetworkStream(socket, ownsSocket: false)
{
    private ReadOnlyMemory<byte> _replay = replay;

    /// <summary>Whether a read has met the end of TCP.</summary>
    public bool HasEnded { get; private set; }

    // Read(Span) of a class below NetworkStream comes here.
    public override int Read(byte[] buffer, int offset, int count) => _replay.IsEmpty ? Noted(base.Read(buffer, offset, count), count) : TakeReplay(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_replay.IsEmpty)
        {
            return ValueTask.FromResult(TakeReplay(buffer.Span));
        }

        ValueTask<int> reading = base.ReadAsync(buffer, cancellationToken);
        return reading.IsCompletedSuccessfully
            ? ValueTask.FromResult(Noted(reading.GetAwaiter().GetResult(), buffer.Length))
            : NotedAsync(reading, buffer.Length);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> NotedAsync(ValueTask<int> reading, int wanted) => Noted(await reading.ConfigureAwait(false), wanted);

    private int Noted(int read, int wanted)
    {
        HasEnded |= read == 0 && wanted != 0;
        return read;
    }

    private int TakeReplay(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _replay.Length);
        _replay.Span[..count].CopyTo(buffer);

        // An empty rest would hold the memory for as long as the connection lives.
        _replay = count == _replay.Length ? default : _replay[count..];
        return count;
    }
}
