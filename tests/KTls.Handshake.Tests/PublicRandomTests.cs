using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>Randoms of hellos come from one larger draw: nobody must get bytes that another one has.</summary>
public sealed class PublicRandomTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    public void No_bytes_come_twice(int length)
    {
        // Eight bytes that are equal by chance: once in 10^14 runs.
        HashSet<ulong> seen = [];
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = PublicRandom.GetBytes(length);
            Assert.Equal(length, bytes.Length);
            for (int start = 0; start + 8 <= length; start += 8)
            {
                Assert.True(seen.Add(BitConverter.ToUInt64(bytes, start)));
            }
        }
    }

    [Fact]
    public void Threads_share_none()
    {
        var all = new System.Collections.Concurrent.ConcurrentDictionary<UInt128, bool>();
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                all.TryAdd(BitConverter.ToUInt128(PublicRandom.GetBytes(16)), true);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(8000, all.Count);
    }
}
