using System.Security.Cryptography;

namespace KTls.Tests;

/// <summary>Random bytes through a pair of streams, compared on the other side.</summary>
internal static class Transfer
{
    /// <summary>Both directions at once, in writes of odd sizes; then close_notify both ways.</summary>
    public static async Task BothWaysAsync(KTlsStream ours, Stream peer, int size)
    {
        await Task.WhenAll(OneWayAsync(ours, peer, size), OneWayAsync(peer, ours, size)).WaitAsync(TimeSpan.FromSeconds(60));
        await ours.ShutdownAsync();
        Assert.Equal(0, await peer.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        if (peer is System.Net.Security.SslStream ssl)
        {
            await ssl.ShutdownAsync();
        }
        else
        {
            await ((KTlsStream)peer).ShutdownAsync();
        }

        Assert.Equal(0, await ours.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(ours.CloseNotifyReceived);
    }

    public static async Task OneWayAsync(Stream from, Stream to, int size)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(size);
        byte[] received = new byte[size];
        Task sending = SendAsync(from, sent);
        await to.ReadExactlyAsync(received);
        await sending;
        Assert.True(sent.AsSpan().SequenceEqual(received), "What arrived is not what was sent.");
    }

    private static async Task SendAsync(Stream stream, byte[] data)
    {
        int[] sizes = [1, 17, 16384, 16385, 100_000, 3];
        int position = 0;
        for (int i = 0; position < data.Length; i++)
        {
            int count = Math.Min(sizes[i % sizes.Length], data.Length - position);
            await stream.WriteAsync(data.AsMemory(position, count));
            position += count;
        }
    }
}
