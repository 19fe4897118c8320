using System.Buffers;
using System.Runtime.CompilerServices;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane;

/// <summary>Our own record layer seals.</summary>
internal sealed class UserSendPlane : SendPlane
{
    // Several records leave with one system call.
    private const int RecordsPerSend = 4;
    private const int BufferSize = RecordsPerSend * (RecordHeader.MaxPlaintext + RecordSealer.MaxOverhead);

    private readonly KernelSocket _socket;
    private RecordSealer _sealer;

    // What is sealed and not all out; null: nothing. The numbers of its records are used: it goes before anything else.
    private byte[]? _records;
    private ReadOnlyMemory<byte> _unsent;

    public UserSendPlane(KernelSocket socket, RecordKeys keys, Obstacle obstacle)
    {
        _socket = socket;
        _sealer = new RecordSealer(keys);
        Status = obstacle.ToStatus(DataPlaneKind.UserSpace);
    }

    public override DataPlaneStatus Status { get; }

    public override bool CanChangeKeys => true;

    /// <inheritdoc/>
    /// <remarks>What was sealed before a cancellation goes out with the next send, if it is not out already.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        while (!data.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _records = ArrayPool<byte>.Shared.Rent(Math.Min(BufferSize, data.Length + (RecordsPerSend * RecordSealer.MaxOverhead)));
            _unsent = _records.AsMemory(0, SealAsMuchAsFits(ref data, _records));
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A record that is sealed counts as sent, as with the kernel: a cancellation then comes too late.</remarks>
    public override async ValueTask SendControlAsync(ContentType type, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        _records = ArrayPool<byte>.Shared.Rent(content.Length + RecordSealer.MaxOverhead);
        _unsent = _records.AsMemory(0, _sealer.Seal(type, content.Span, _records));
        try
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The next send, or the flush before the end, goes on with it.
        }
    }

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        FileCopy.RunAsync(file, offset, count, RecordsPerSend * RecordHeader.MaxPlaintext, blocks: _socket.SendBlocksUntil != 0, SendAsync, cancellationToken);

    /// <summary>Brings what is sealed to TCP, which delivers it also after a close.</summary>
    public override ValueTask FlushAsync(CancellationToken cancellationToken) => _records is null ? default : SendRecordsAsync(_records, cancellationToken);

    public override bool NeedsFlush => false;

    public override byte[] TakeUnsent()
    {
        if (_records is not { } records)
        {
            return [];
        }

        _socket.TrySend(ref _unsent);
        byte[] rest = _unsent.ToArray();
        _unsent = default;
        _records = null;
        ArrayPool<byte>.Shared.Return(records);
        return rest;
    }

    public override void ChangeKeys(RecordKeys keys)
    {
        _sealer.Dispose();
        _sealer = new RecordSealer(keys);
    }

    public override void Dispose() => _sealer.Dispose();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendRecordsAsync(byte[] records, CancellationToken cancellationToken)
    {
        _socket.TrySend(ref _unsent);
        for (bool hadRoom = true; !_unsent.IsEmpty;)
        {
            await _socket.WaitForRoomAsync(hadRoom, cancellationToken).ConfigureAwait(false);
            int before = _unsent.Length;
            _socket.TrySend(ref _unsent);
            hadRoom = _unsent.Length != before;
        }

        _records = null;
        ArrayPool<byte>.Shared.Return(records);
    }

    private int SealAsMuchAsFits(ref ReadOnlyMemory<byte> data, Span<byte> records)
    {
        int length = 0;
        while (!data.IsEmpty)
        {
            int room = records.Length - length - RecordSealer.MaxOverhead;
            int contentLength = Math.Min(RecordHeader.MaxPlaintext, data.Length);
            if (room < contentLength)
            {
                break;
            }

            length += _sealer.Seal(ContentType.ApplicationData, data.Span[..contentLength], records[length..]);
            data = data[contentLength..];
        }

        return length;
    }
}
