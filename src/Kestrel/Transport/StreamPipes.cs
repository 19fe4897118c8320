using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using KTls.Kestrel.Files;
using Microsoft.AspNetCore.Connections;

namespace KTls.Kestrel.Transport;

/// <summary>The pipes between Kestrel and a <see cref="KTlsStream"/>: each direction has a loop that moves its data.</summary>
internal sealed class StreamPipes : IDuplexPipe
{
    // A record holds 16 KiB. While data stream in, one system call takes several.
    private const int SmallReceive = 16 * 1024;
    private const int LargeReceive = 128 * 1024;
    private const int MaxGathered = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _end = new();
    private readonly Socket _socket;
    private readonly KTlsStream _stream;
    private readonly Action _reportClosed;
    private readonly Pipe _received;
    private readonly Pipe _toSend;
    private readonly Task _receiving;
    private readonly Task _sending;
    private ConnectionAbortedException? _abortReason;
    private bool _isClosed;

    public StreamPipes(Socket socket, KTlsStream stream, long maxReadBuffer, long maxWriteBuffer, Action reportClosed)
    {
        _socket = socket;
        _stream = stream;
        _reportClosed = reportClosed;
        _received = new Pipe(Options(maxReadBuffer));
        _toSend = new Pipe(Options(maxWriteBuffer));
        Output = new FilePipeWriter(_toSend.Writer);

        // On the pool: a client that has sent much already would hold up whoever makes this.
        _receiving = Task.Run(ReceiveAsync);
        _sending = SendAsync();
    }

    public PipeReader Input => _received.Reader;

    public FilePipeWriter Output { get; }

    PipeWriter IDuplexPipe.Output => Output;

    /// <summary>Ends TCP with a reset, now.</summary>
    public void Abort(ConnectionAbortedException reason)
    {
        _abortReason ??= reason;
        Close(reset: true);
        _toSend.Reader.CancelPendingRead();
        _received.Writer.CancelPendingFlush();
    }

    /// <summary>Ends the connection after what was written: close_notify, then TCP.</summary>
    public async Task EndAsync()
    {
        await _received.Reader.CompleteAsync().ConfigureAwait(false);
        await _toSend.Writer.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        bool isWhole = false;
        if (_abortReason is null)
        {
            try
            {
                using var patience = new CancellationTokenSource(Patience);
                await _stream.ShutdownAsync(patience.Token).ConfigureAwait(false);
                isWhole = true;
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
            {
                // The peer is gone or takes nothing: a reset tells it that data may be missing.
            }
        }

        Close(reset: !isWhole);
        await _receiving.ConfigureAwait(false);
    }

    private static PipeOptions Options(long maxBuffer) => new(
        pool: MemoryPool<byte>.Shared,
        readerScheduler: PipeScheduler.ThreadPool,
        writerScheduler: PipeScheduler.ThreadPool,
        pauseWriterThreshold: maxBuffer,
        resumeWriterThreshold: maxBuffer / 2,
        minimumSegmentSize: SmallReceive,
        useSynchronizationContext: false);

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        bool hasEnded = false;
        int size = SmallReceive;
        try
        {
            while (true)
            {
                // An idle connection holds no buffer.
                await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                Memory<byte> room = _received.Writer.GetMemory(size);
                int length = await _stream.ReadAsync(room).ConfigureAwait(false);
                if (length == 0)
                {
                    hasEnded = true;
                    break;
                }

                size = length >= SmallReceive ? LargeReceive : SmallReceive;
                _received.Writer.Advance(length);
                FlushResult result = await _received.Writer.FlushAsync().ConfigureAwait(false);
                if (result.IsCompleted || result.IsCanceled)
                {
                    break;
                }
            }
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            failure = new ConnectionResetException(e.Message, e);
        }
        catch (Exception e)
        {
            failure = e is ObjectDisposedException ? new ConnectionAbortedException() : e;
        }

        await _received.Writer.CompleteAsync(_abortReason ?? failure).ConfigureAwait(false);
        if (hasEnded && _stream.CloseNotifyReceived)
        {
            await WaitForEndOfTcpAsync().ConfigureAwait(false);
        }

        _reportClosed();
    }

    // close_notify says that no more data come, not that nobody waits for the answer (RFC 8446 §6.1). The end of TCP does, to Kestrel.
    private async Task WaitForEndOfTcpAsync()
    {
        try
        {
            // Whatever comes: nothing else may.
            _ = await _socket.ReceiveAsync(new byte[1]).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A reset, or our own end.
        }
    }

    private async Task SendAsync()
    {
        Exception? failure = null;
        try
        {
            long position = 0;
            while (true)
            {
                ReadResult result = await _toSend.Reader.ReadAsync().ConfigureAwait(false);
                if (result.IsCanceled)
                {
                    break;
                }

                FileRange? file = Output.FileWithin(position, result.Buffer.Length);
                ReadOnlySequence<byte> data = file is null ? result.Buffer : result.Buffer.Slice(0, file.Position - position);
                await WriteAsync(data).ConfigureAwait(false);

                // The pipe takes more before the file is out: Kestrel times what waits in it.
                SequencePosition end = file is null ? data.End : result.Buffer.GetPosition(1, data.End);
                position += data.Length + (file is null ? 0 : 1);
                _toSend.Reader.AdvanceTo(end);
                if (file is not null)
                {
                    await file.SendAsync(_stream).ConfigureAwait(false);
                }
                else if (result.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        // No error for whoever writes: Kestrel takes a closed pipe for a client that has gone away.
        await _toSend.Reader.CompleteAsync().ConfigureAwait(false);
        if (failure is not null)
        {
            // Half an answer may be out; nothing may follow it.
            Abort(new ConnectionAbortedException("What was written could not be sent.", failure));
        }

        Output.End(failure ?? new ConnectionAbortedException());
    }

    // Segments that come together go out together: a copy costs less than a system call and a record for each.
    private async ValueTask WriteAsync(ReadOnlySequence<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        if (data.IsSingleSegment)
        {
            await _stream.WriteAsync(data.First).ConfigureAwait(false);
            return;
        }

        byte[] gathered = ArrayPool<byte>.Shared.Rent((int)Math.Min(data.Length, MaxGathered));
        try
        {
            while (!data.IsEmpty)
            {
                int length = (int)Math.Min(data.Length, Math.Min(gathered.Length, MaxGathered));
                data.Slice(0, length).CopyTo(gathered);
                await _stream.WriteAsync(gathered.AsMemory(0, length)).ConfigureAwait(false);
                data = data.Slice(length);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    // The stream first: it ends its waits in epoll before the descriptor goes away.
    private void Close(bool reset)
    {
        lock (_end)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            _stream.Dispose();
            if (reset)
            {
                _socket.Close(timeout: 0);
            }
            else
            {
                _socket.Dispose();
            }
        }
    }
}
