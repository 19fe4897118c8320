using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace KTls.Kestrel.Files;

/// <summary>
/// A part of a file that is a part of an answer. To Kestrel it is memory of that length, to be counted and passed on; there are no
/// bytes behind it, and whoever looks for some gets an exception.
/// </summary>
internal sealed class FileRange(SafeFileHandle file, long offset, int length) : MemoryManager<byte>
{
    /// <summary>So many bytes are sent at a time, so that it can be told how a slow client gets on. A multiple of a record.</summary>
    public const int Step = 256 * 1024;

    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sent;

    /// <summary>What Kestrel is given.</summary>
    public override Memory<byte> Memory => CreateMemory(length);

    /// <summary>Bytes of other memory that went through the pipe before it; -1: Kestrel has not passed it on.</summary>
    public long Position { get; set; } = -1;

    /// <summary>Bytes that are out.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Why it could not be sent; null when it is out.</summary>
    public Task<Exception?> Ended => _ended.Task;

    /// <exception cref="FileTooShortException">The file has become shorter.</exception>
    /// <exception cref="FileReadException">The file cannot be read.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    public async ValueTask SendAsync(KTlsStream stream)
    {
        while (_sent < length)
        {
            long wanted = Math.Min(Step, length - _sent);
            long sent = await stream.SendFileAsync(file, offset + _sent, wanted).ConfigureAwait(false);
            if (sent < wanted)
            {
                throw new FileTooShortException($"The file has become shorter while it was sent: byte {offset + _sent + sent} is missing.");
            }

            Volatile.Write(ref _sent, _sent + sent);
        }

        _ended.TrySetResult(null);
    }

    public void Fail(Exception reason) => _ended.TrySetResult(reason);

    public override Span<byte> GetSpan() => throw NoBytes();

    public override MemoryHandle Pin(int elementIndex = 0) => throw NoBytes();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }

    private static InvalidOperationException NoBytes() => new("This memory stands for a part of a file and cannot be read or written.");
}

/// <summary>A file has ended before what was to be sent of it.</summary>
internal sealed class FileTooShortException(string message) : IOException(message);
