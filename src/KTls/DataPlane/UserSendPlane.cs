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

    // A part of a record may be out: whatever followed would not be a record.
    private bool _isBroken;

    public UserSendPlane(KernelSocket socket, RecordKeys keys, Obstacle obstacle)
    {
        _socket = socket;
        _sealer = new RecordSealer(keys);
        Status = obstacle.ToStatus(DataPlaneKind.UserSpace);
    }

    public override DataPlaneStatus Status { get; }

    public override bool CanChangeKeys => true;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        byte[] records = ArrayPool<byte>.Shared.Rent(Math.Min(BufferSize, data.Length + (RecordsPerSend * RecordSealer.MaxOverhead)));
        try
        {
            while (!data.IsEmpty)
            {
                int sealedLength = SealAsMuchAsFits(ref data, records);
                await SendRecordsAsync(records.AsMemory(0, sealedLength), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(records);
        }
    }

    public override async ValueTask SendControlAsync(ContentType type, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] record = new byte[content.Length + RecordSealer.MaxOverhead];
        int length = _sealer.Seal(type, content.Span, record);
        await SendRecordsAsync(record.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
    }

    public override ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken) =>
        FileCopy.RunAsync(file, offset, count, RecordsPerSend * RecordHeader.MaxPlaintext, SendAsync, cancellationToken);

    // What TCP has taken it delivers, also after a close.
    public override ValueTask FlushAsync(CancellationToken cancellationToken) => default;

    public override bool NeedsFlush => false;

    public override void ChangeKeys(RecordKeys keys)
    {
        _sealer.Dispose();
        _sealer = new RecordSealer(keys);
    }

    public override void Dispose() => _sealer.Dispose();

    private async ValueTask SendRecordsAsync(ReadOnlyMemory<byte> records, CancellationToken cancellationToken)
    {
        if (_isBroken)
        {
            throw new IOException("An earlier write was cancelled or failed in the middle of a record; nothing more can be sent.");
        }

        _isBroken = true;
        await _socket.SendAsync(records, cancellationToken).ConfigureAwait(false);
        _isBroken = false;
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
