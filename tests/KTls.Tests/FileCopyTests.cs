using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KTls.Tests;

/// <summary>A file that is sent by reading and writing.</summary>
public sealed class FileCopyTests
{
    [Theory]
    [InlineData(1000)]
    [InlineData(long.MaxValue)]
    public async Task Nothing_of_the_file_is_left_in_the_pool(long count)
    {
        byte[] content = [.. Enumerable.Repeat((byte)1, 5000)];
        string path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, content);
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.DeleteOnClose);
        byte[]? buffer = null;
        long sent = 0;

        // All of it on this thread, whose buffer nobody else gets before it is looked at.
        ValueTask<long> copying = FileCopy.RunAsync(file, 0, count, bufferSize: 2000, blocks: true, Write, CancellationToken.None);
        Assert.True(copying.IsCompletedSuccessfully);
        Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal(Math.Min(count, content.Length), await copying);
        Assert.Equal(Math.Min(count, content.Length), sent);

        ValueTask Write(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            Assert.True(MemoryMarshal.TryGetArray(data, out ArraySegment<byte> segment));
            Assert.True(content.AsSpan(0, data.Length).SequenceEqual(data.Span));
            buffer = segment.Array;
            sent += data.Length;
            return default;
        }
    }
}
