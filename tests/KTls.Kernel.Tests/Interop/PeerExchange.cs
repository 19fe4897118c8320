using System.Security.Cryptography;

namespace KTls.Tests.Interop;

/// <summary>Random data between us and a foreign program, both ways at once, compared at both ends.</summary>
internal static class PeerExchange
{
    public const int Size = 1 << 20;

    public static async Task BothWaysAsync(KTlsStream ours, PeerProcess peer)
    {
        byte[] toUs = RandomNumberGenerator.GetBytes(Size);
        byte[] toPeer = RandomNumberGenerator.GetBytes(Size);
        Task<byte[]> atPeer = peer.ReadAsync(Size);
        Task<byte[]> atUs = ReadAsync(ours, Size);
        await Task.WhenAll(peer.WriteAsync(toUs), ours.WriteAsync(toPeer).AsTask(), atPeer, atUs).Soon();
        CheckSame(toPeer, await atPeer);
        CheckSame(toUs, await atUs);
    }

    public static async Task<byte[]> ReadAsync(KTlsStream ours, int length)
    {
        byte[] data = new byte[length];
        await ours.ReadExactlyAsync(data).Soon();
        return data;
    }

    public static void CheckSame(byte[] sent, byte[] received)
    {
        Assert.Equal(sent.Length, received.Length);
        int same = sent.AsSpan().CommonPrefixLength(received);
        Assert.True(same == sent.Length, $"What arrived differs from what was sent, from byte {same} of {sent.Length} on.");
    }
}
