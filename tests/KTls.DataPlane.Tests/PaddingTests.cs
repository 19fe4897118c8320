using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>What the kernel was told of the peer's padding shows in how often it decrypts a record again, and in nothing else.</summary>
public sealed class PaddingTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Padded_and_control_records_arrive_whatever_is_expected(bool expectPadding, bool withEarlyData)
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel, ExpectPadding = expectPadding };
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), options);
        RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await peer.SendAsync(withEarlyData ? [peer.LastFlight, peer.Seal(ContentType.ApplicationData, [1])] : [peer.LastFlight]);
        await using KTlsStream ours = await accepting;
        byte[] buffer = new byte[16384];
        if (withEarlyData)
        {
            // In user space; then the kernel takes over.
            Assert.Equal(1, await ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
        }

        long before = TlsStatistics.Read()!.DecryptRetries!.Value;
        await peer.SendAsync(
            peer.Seal(ContentType.ApplicationData, [2]),
            peer.Seal(ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)),
            Padded(peer, 3));
        var received = new List<byte>();
        while (received.Count < 2)
        {
            int read = await ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience);
            received.AddRange(buffer[..read]);
        }

        Assert.Equal([2, 3], received);
        Assert.Equal(DataPlaneKind.Kernel, ours.Receiving.Kind);
        Assert.Equal(expectPadding ? 0 : 2, TlsStatistics.Read()!.DecryptRetries - before);
    }

    // The content's type, then zeros, of which Seal writes the last one as if it were the type (RFC 8446 §5.2, §5.4).
    private static byte[] Padded(RawPeer peer, byte content) => peer.Seal(0, [content, (byte)ContentType.ApplicationData, .. new byte[99]]);
}
