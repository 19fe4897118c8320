namespace KTls.Kernel.Tests.Support;

/// <summary>Moves test data and reads it back.</summary>
internal static class Transfer
{
    /// <summary>What no step of a test should take. Generous: the lab's kernel is slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Data in which every misplaced, missing or doubled piece shows.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        byte[] data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    /// <summary>Receives application data until so many bytes are there; fails at a control record and at the end.</summary>
    public static async Task<byte[]> ReceiveAsync(KernelSocket socket, int length, int bufferSize = 65536)
    {
        byte[] data = new byte[length];
        int received = 0;
        while (received < length)
        {
            ReceivedRecord record = await socket.ReceiveRecordAsync(
                data.AsMemory(received, Math.Min(bufferSize, length - received)), CancellationToken.None);
            Assert.False(record.EndOfStream, $"The stream ended after {received} of {length} bytes.");
            Assert.Equal(ReceivedRecord.ApplicationData, record.ContentType);
            received += record.Length;
        }

        return data;
    }

    /// <summary>Receives application data until the peer closes.</summary>
    public static async Task<byte[]> ReceiveToEndAsync(KernelSocket socket)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        while (true)
        {
            ReceivedRecord record = await socket.ReceiveRecordAsync(buffer, CancellationToken.None);
            if (record.EndOfStream)
            {
                return all.ToArray();
            }

            Assert.Equal(ReceivedRecord.ApplicationData, record.ContentType);
            all.Write(buffer, 0, record.Length);
        }
    }

    /// <summary>Fails instead of hanging.</summary>
    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Patience);

    /// <inheritdoc cref="Soon{T}(ValueTask{T})"/>
    public static Task Soon(this ValueTask task) => task.AsTask().WaitAsync(Patience);

    /// <inheritdoc cref="Soon{T}(ValueTask{T})"/>
    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Patience);

    /// <inheritdoc cref="Soon{T}(ValueTask{T})"/>
    public static Task Soon(this Task task) => task.WaitAsync(Patience);
}
