using System.Buffers.Binary;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>Writes, files, key updates and reads that are cancelled at any moment, while the peer reads slowly and asks for new keys.</summary>
public sealed class CancellationTests
{
    private const int MaxWrite = 300_000;
    private const int FileId = 0xFFF; // a file begins at another place each time

    // A word tells which write it is of, and its place there.
    private const int PlaceBits = 20;

    /// <summary>
    /// The peer opens every record with the number and the key that are due, finds a beginning of each write, and all of it where the
    /// write was not cancelled.
    /// </summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task What_is_cancelled_has_begun_and_stopped_at_a_record(DataPlanePolicy plane)
    {
        const int Rounds = 60;
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, MaxKeyUpdatesPerSecond = 1_000_000 }, bufferSize: 32768);
        using var file = new TempFile(Words(FileId, MaxWrite + (4 * Rounds)));
        var writes = new List<(uint First, int Length, bool IsDone)>();
        using var enough = new CancellationTokenSource();
        Task peer = AskAsync(link, plane.CanUpdate(), enough.Token);
        Task reading = ReadAsync(link.Ours, enough.Token);
        Task<List<uint>> receiving = Task.Run(() => ReceiveAsync(link));
        var random = new Random(7);
        int cancelled = 0;
        for (int i = 0; i < Rounds; i++)
        {
            int length = random.Next(MaxWrite / 4) * 4;
            bool isFile = random.Next(3) == 0;
            using var soon = new CancellationTokenSource();
            soon.CancelAfter(TimeSpan.FromMicroseconds(random.Next(20_000)));
            bool isDone = true;
            try
            {
                if (isFile)
                {
                    Assert.Equal(length, await link.Ours.SendFileAsync(file.Handle, 4 * i, length, soon.Token));
                }
                else
                {
                    await link.Ours.WriteAsync(Words(i, length), soon.Token);
                }
            }
            catch (OperationCanceledException)
            {
                isDone = false;
                cancelled++;
            }

            writes.Add((isFile ? Word(FileId, i) : Word(i, 0), length, isDone));
            if (plane.CanUpdate() && random.Next(4) == 0)
            {
                try
                {
                    await link.Ours.UpdateKeysAsync(requestPeerUpdate: false, soon.Token);
                }
                catch (OperationCanceledException)
                {
                }
            }
        }

        await link.Ours.ShutdownAsync().WaitAsync(Lab.Patience);
        await enough.CancelAsync();
        await reading;
        await peer;
        List<uint> words = await receiving.WaitAsync(Lab.Patience);
        Assert.InRange(cancelled, 1, Rounds - 1);

        int place = 0;
        foreach ((uint first, int length, bool isDone) in writes)
        {
            int count = 0;
            while (count < length / 4 && place < words.Count && words[place] == first + count)
            {
                count++;
                place++;
            }

            Assert.True(count == length / 4 || !isDone, $"Of {first:x8} only {count * 4} of {length} bytes came");
        }

        Assert.Equal(words.Count, place);
    }

    /// <summary>The key may seal no more, and the end is cancelled while TCP has no room for it: the next write ends the connection.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task An_end_that_is_cancelled_comes_with_the_next_write(DataPlanePolicy plane)
    {
        byte[] tooMuch = new byte[1 << 20];
        await using Link link = await FullAsync(plane, tooMuch);
        Task ending = Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await link.Ours.WriteAsync(tooMuch));
        (ContentType Type, byte[] Content) record;
        do
        {
            record = await link.ReceiveAsync();
        }
        while (record.Type == ContentType.ApplicationData);
        Assert.Equal(Lab.CloseNotify, record.Content);
        await ending.WaitAsync(Lab.Patience);
        await Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await link.Ours.WriteAsync(new byte[1]));
    }

    // Both are cancelled, a write that fills TCP and one that is too much. On a slow machine the first one may be cancelled before TCP is full.
    private static async Task<Link> FullAsync(DataPlanePolicy plane, byte[] tooMuch)
    {
        for (int milliseconds = 50; ; milliseconds *= 2)
        {
            Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, MaxBytesPerKey = 1 << 20 }, SslProtocols.Tls12, bufferSize: 32768);
            using (var full = new CancellationTokenSource(milliseconds))
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await link.Ours.WriteAsync(new byte[900_000], full.Token));
            }

            using var soon = new CancellationTokenSource(milliseconds);
            Exception? e = await Record.ExceptionAsync(async () => await link.Ours.WriteAsync(tooMuch, soon.Token));
            if (e is OperationCanceledException)
            {
                return link;
            }

            Assert.IsType<KeyUpdateUnavailableException>(e);
            Assert.InRange(milliseconds, 1, 2000);
            await link.DisposeAsync();
        }
    }

    private static uint Word(int id, int place) => ((uint)id << PlaceBits) | (uint)place;

    private static byte[] Words(int id, int length)
    {
        byte[] words = new byte[length];
        for (int i = 0; i < length / 4; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(words.AsSpan(4 * i), Word(id, i));
        }

        return words;
    }

    private static async Task<List<uint>> ReceiveAsync(Link link)
    {
        var words = new List<uint>();
        var bytes = new List<byte>();
        var random = new Random(8);
        while (true)
        {
            (ContentType type, byte[] content) = await link.ReceiveAsync();
            if (type == ContentType.Alert)
            {
                Assert.Equal(Lab.CloseNotify, content);
                return words;
            }

            if (type == ContentType.ApplicationData)
            {
                bytes.AddRange(content);
                int whole = bytes.Count / 4 * 4;
                byte[] taken = [.. bytes.Take(whole)];
                bytes.RemoveRange(0, whole);
                for (int i = 0; i < whole; i += 4)
                {
                    words.Add(BinaryPrimitives.ReadUInt32BigEndian(taken.AsSpan(i)));
                }
            }

            if (random.Next(10) == 0)
            {
                await Task.Delay(random.Next(8));
            }
        }
    }

    // Asks for new keys with nearly every message, and changes its own.
    private static async Task AskAsync(Link link, bool updates, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await link.SendAsync(updates
                ? [(ContentType.ApplicationData, [1, 2, 3]), (ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.ApplicationData, [4])]
                : [(ContentType.ApplicationData, [1, 2, 3, 4])]);
            await Task.Delay(3, CancellationToken.None);
        }
    }

    // The peer's data is 1, 2, 3, 4 and so on again, whichever reads are cancelled.
    private static async Task ReadAsync(KTlsStream ours, CancellationToken enough)
    {
        var random = new Random(9);
        byte[] buffer = new byte[100];
        int expected = 0;
        while (!enough.IsCancellationRequested)
        {
            using var soon = new CancellationTokenSource();
            soon.CancelAfter(TimeSpan.FromMicroseconds(random.Next(4000)));
            try
            {
                int read = await ours.ReadAsync(buffer.AsMemory(0, random.Next(7)), soon.Token);
                for (int i = 0; i < read; i++)
                {
                    Assert.Equal((expected++ % 4) + 1, buffer[i]);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }
    }
}
