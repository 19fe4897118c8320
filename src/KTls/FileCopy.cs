using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace KTls;

/// <summary>Sends a file where the kernel does not seal: by reading and writing. What a file fails with is told from what a connection fails with.</summary>
internal static class FileCopy
{
    /// <summary>How many bytes a file has.</summary>
    /// <exception cref="FileReadException">The file failed.</exception>
    /// <exception cref="NotSupportedException">It has no length.</exception>
    public static long LengthOf(SafeFileHandle file)
    {
        try
        {
            return RandomAccess.GetLength(file);
        }
        catch (IOException e)
        {
            throw new FileReadException(e);
        }
    }

    /// <summary>Reads a part of a file and writes it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="count">So many bytes.</param>
    /// <param name="bufferSize">Bytes that are read at a time.</param>
    /// <param name="blocks">Whether the thread reads itself, and waits for what it reads.</param>
    /// <param name="write">Where they go.</param>
    /// <param name="cancellationToken">Ends reading and writing.</param>
    /// <returns>Bytes written: fewer than <paramref name="count"/> only when the file ended.</returns>
    /// <exception cref="FileReadException">The file failed; whatever else comes is from <paramref name="write"/>.</exception>
    public static async ValueTask<long> RunAsync(
        SafeFileHandle file, long offset, long count, int bufferSize, bool blocks,
        Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(bufferSize, count));
        try
        {
            long sent = 0;
            while (sent < count)
            {
                int wanted = (int)Math.Min(bufferSize, count - sent);
                int read = await ReadAsync(file, buffer.AsMemory(0, wanted), offset + sent, blocks, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                await write(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                sent += read;
            }

            return sent;
        }
        finally
        {
            // The file is as confidential as the connection.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<int> ReadAsync(SafeFileHandle file, Memory<byte> buffer, long offset, bool blocks, CancellationToken cancellationToken)
    {
        try
        {
            return blocks
                ? RandomAccess.Read(file, buffer.Span, offset)
                : await RandomAccess.ReadAsync(file, buffer, offset, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FileReadException(e);
        }
    }
}
