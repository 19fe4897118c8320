using System.IO.Pipelines;

namespace KTls.Kestrel.Files;

/// <summary>
/// A pipe's writer that takes parts of files, too: one byte in the pipe stands for each, and the reader sends the file in its place.
/// One may be under way at a time.
/// </summary>
internal sealed class FilePipeWriter(PipeWriter pipe) : PipeWriter
{
    private readonly Lock _ending = new();
    private FileRange? _offered;
    private FileRange? _given;
    private FileRange? _taken;
    private Exception? _end;
    private long _written;

    public override bool CanGetUnflushedBytes => pipe.CanGetUnflushedBytes;

    public override long UnflushedBytes => pipe.UnflushedBytes;

    /// <summary>
    /// The next <see cref="GetMemory"/> returns this, unless an earlier file is still under way, and an <see cref="Advance"/> then takes it.
    /// Null: no file any more.
    /// </summary>
    public void Offer(FileRange? file) => (_offered, _given) = (file, null);

    /// <summary>The file that stands among the next bytes.</summary>
    /// <param name="position">Bytes read before.</param>
    /// <param name="length">Bytes that are there to be read.</param>
    public FileRange? FileWithin(long position, long length) =>
        Volatile.Read(ref _taken) is { } file && file.Position >= position && file.Position < position + length ? file : null;

    /// <summary>Nothing is read from the pipe any more: a file that is under way fails, and so does every later one.</summary>
    public void End(Exception reason)
    {
        lock (_ending)
        {
            _end = reason;
            _taken?.Fail(reason);
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        _given = _taken is { Ended.IsCompleted: false } ? null : _offered;
        return _given?.Memory ?? pipe.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        _given = null;
        return pipe.GetSpan(sizeHint);
    }

    public override void Advance(int bytes)
    {
        if (_given is { } file && bytes == file.Memory.Length)
        {
            Offer(null);
            Take(file);
        }
        else
        {
            _written += bytes;
            pipe.Advance(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => pipe.FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => pipe.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => pipe.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => pipe.CompleteAsync(exception);

    private void Take(FileRange file)
    {
        file.Position = _written++;
        lock (_ending)
        {
            _taken = file;
            if (_end is not null)
            {
                file.Fail(_end);
            }
        }

        pipe.GetSpan(1)[0] = 0;
        pipe.Advance(1);
    }
}
