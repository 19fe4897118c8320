using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Our own record layer opens: for good, or only what had already arrived when the handshake ended, and then the kernel
/// takes over at a record's end.
/// </summary>
internal sealed class UserReceivePlane : ReceivePlane
{
    private const int BufferSize = RecordHeader.Size + RecordHeader.MaxCiphertext;

    private readonly KernelSocket _socket;
    private bool _untilBoundary;
    private RecordOpener _opener;
    private DataPlaneStatus _status;

    // The records that were received, [_start.._end); the buffer is rented only while there are any.
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    // What is left of the content of the record that was opened last, a part of _buffer before _start.
    private Memory<byte> _content;

    // Whether that record is still to be received, in whole or in part: an empty one, too, which only its type tells from nothing.
    private bool _isRecordOpen;
    private ContentType _contentType;

    // The end of TCP came in the middle of a record.
    private bool _isCutOff;

    /// <summary>Creates the plane.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="keys">The keys of the first record.</param>
    /// <param name="early">What was received beyond the handshake.</param>
    /// <param name="untilBoundary">Whether to receive no byte beyond the record that <paramref name="early"/> ends in.</param>
    /// <param name="obstacle">Why it is not the kernel.</param>
    public UserReceivePlane(KernelSocket socket, RecordKeys keys, ReadOnlySpan<byte> early, bool untilBoundary, Obstacle obstacle)
    {
        _socket = socket;
        _opener = new RecordOpener(keys);
        _untilBoundary = untilBoundary;
        _status = obstacle.ToStatus(DataPlaneKind.UserSpace);
        if (!early.IsEmpty)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(early.Length, BufferSize));
            early.CopyTo(_buffer);
            _end = early.Length;
        }
    }

    public override DataPlaneStatus Status => _status;

    /// <summary>Whether all that was received has been read: the next byte of the socket begins a record.</summary>
    public bool IsAtBoundary => _start == _end && !_isRecordOpen;

    public override ulong? RecordsOpened => _opener.Sequence;

    /// <summary>The number of the next record.</summary>
    public ulong Sequence => _opener.Sequence;

    /// <summary>Goes on although it was to be for a while only.</summary>
    public void StayForGood(Obstacle obstacle)
    {
        _untilBoundary = false;
        _status = obstacle.ToStatus(DataPlaneKind.UserSpace);
    }

    // A part of a record is nothing to read yet.
    public override bool HasSomething => IsAtBoundary ? _socket.IsReadable : _isRecordOpen || _isCutOff;

    public override ValueTask WaitAsync(CancellationToken cancellationToken) =>
        IsAtBoundary ? _socket.WaitReadableAsync(cancellationToken) : OpenPartAsync(cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReceivedRecord> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_isRecordOpen && !await OpenNextAsync(cancellationToken).ConfigureAwait(false))
        {
            ThrowIfInsideRecord();
            return new ReceivedRecord(0, 0, EndOfStream: true);
        }

        int length = Math.Min(buffer.Length, _content.Length);
        _content[..length].CopyTo(buffer);
        _content = _content[length..];
        _isRecordOpen = !_content.IsEmpty;
        bool endOfRecord = _contentType == ContentType.ApplicationData || !_isRecordOpen;
        ReturnBufferWhenEmpty();
        return new ReceivedRecord((byte)_contentType, length, EndOfStream: false, endOfRecord);
    }

    public override void ChangeKeys(RecordKeys keys)
    {
        _opener.Dispose();
        _opener = new RecordOpener(keys);
    }

    public override void Dispose()
    {
        _opener.Dispose();
        _start = _end = 0;
        _content = default;
        _isRecordOpen = false;
        ReturnBufferWhenEmpty();
    }

    private async ValueTask OpenPartAsync(CancellationToken cancellationToken) =>
        _isCutOff = !await OpenNextAsync(cancellationToken).ConfigureAwait(false);

    private async ValueTask<bool> OpenNextAsync(CancellationToken cancellationToken)
    {
        while (!HasWholeRecord(out _))
        {
            if (!await ReceiveMoreAsync(cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        HasWholeRecord(out int recordLength);
        Memory<byte> record = _buffer.AsMemory(_start, recordLength);
        _start += recordLength;
        int contentLength = _opener.Open(record.Span, out _contentType).Length;
        _content = record.Slice(_opener.ContentOffset, contentLength);
        _isRecordOpen = true;
        return true;
    }

    private void ThrowIfInsideRecord()
    {
        if (_start != _end)
        {
            throw new IOException("The peer closed the connection in the middle of a record.");
        }
    }

    private bool HasWholeRecord(out int recordLength)
    {
        ReadOnlySpan<byte> received = _buffer.AsSpan(_start, _end - _start);
        recordLength = received.Length < RecordHeader.Size ? RecordHeader.Size : RecordHeader.Read(received).RecordLength;
        return received.Length >= recordLength;
    }

    private async ValueTask<bool> ReceiveMoreAsync(CancellationToken cancellationToken)
    {
        if (_buffer.Length == 0)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        }

        // One record fits always, once what is left of it stands at the front.
        if (_start != 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        HasWholeRecord(out int recordLength);
        int limit = _untilBoundary ? recordLength : _buffer.Length;
        int received = 0;
        try
        {
            received = await _socket.ReceiveAsync(_buffer.AsMemory(_end, limit - _end), cancellationToken).ConfigureAwait(false);
            return received != 0;
        }
        finally
        {
            // After a cancelled wait a connection without data holds no buffer.
            _end += received;
            ReturnBufferWhenEmpty();
        }
    }

    private void ReturnBufferWhenEmpty()
    {
        if (_buffer.Length != 0 && IsAtBoundary)
        {
            byte[] buffer = _buffer;
            _buffer = [];
            _start = _end = 0;
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
