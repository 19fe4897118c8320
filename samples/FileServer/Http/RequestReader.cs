using System.Buffers;

namespace FileServer.Http;

/// <summary>
/// Cuts the bytes of a connection into requests. What a client has sent ahead (pipelining) stays here until its turn comes.
/// </summary>
internal sealed class RequestReader(Stream stream) : IDisposable
{
    public const int MaxRequestLine = 8 * 1024;
    public const int MaxHead = 32 * 1024;
    public const int MaxFields = 100;

    private const int FirstSize = 4 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstSize);
    private int _start;
    private int _end;

    /// <summary>Waits for the first byte of a request.</summary>
    /// <returns>Whether there is one; false: the client has ended the stream.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        _start < _end || await ReceiveAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Reads a request's head.</summary>
    /// <exception cref="RefusedRequestException">The head is malformed or too large.</exception>
    /// <exception cref="EndOfStreamException">The client ended the stream before the head was complete.</exception>
    public async ValueTask<HttpRequest> ReadHeadAsync(CancellationToken cancellationToken)
    {
        var scan = default(HeadScan);
        while (true)
        {
            int length = scan.Continue(_buffer.AsSpan(_start, _end - _start), out int skipped);
            _start += skipped;
            if (length != 0)
            {
                HttpRequest request = RequestParser.Parse(_buffer.AsSpan(_start, length));
                _start += length;
                return request;
            }

            if (!await ReceiveAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new EndOfStreamException("The client ended the stream inside a request.");
            }
        }
    }

    /// <summary>Reads a body that nobody wants.</summary>
    /// <exception cref="EndOfStreamException">The client ended the stream before the body was complete.</exception>
    public async ValueTask SkipAsync(long count, CancellationToken cancellationToken)
    {
        while (true)
        {
            int available = (int)Math.Min(count, _end - _start);
            _start += available;
            count -= available;
            if (count == 0)
            {
                return;
            }

            if (!await ReceiveAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new EndOfStreamException("The client ended the stream inside a request's body.");
            }
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        if (buffer.Length != 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        int received = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += received;
        return received != 0;
    }

    // HeadScan refuses a head before it is longer than MaxHead, so the buffer cannot grow far beyond.
    private void MakeRoom()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        int length = _end - _start;
        byte[] larger = _start > 0 ? _buffer : ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Buffer.BlockCopy(_buffer, _start, larger, 0, length);
        if (larger != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        _start = 0;
        _end = length;
    }
}
