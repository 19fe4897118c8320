using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls.DataPlane.Tests;

/// <summary>What the options say about kernels that cannot change keys; and that nothing of it concerns those that can.</summary>
public sealed class WithoutRekeyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task By_default_a_KeyUpdate_of_the_peer_is_harmless_on_every_kernel(bool withEarlyData)
    {
        using TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { TicketCount = 0 });
        using RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        await peer.SendAsync(peer.LastFlight, withEarlyData ? peer.Seal(ContentType.ApplicationData, [1]) : []);
        await using KTlsStream ours = await accepting;
        Assert.Equal(DataPlaneKind.Kernel, ours.Sending.Kind);
        byte[] received = new byte[1000];
        if (withEarlyData)
        {
            Assert.Equal(1, await ours.ReadAsync(received));
        }

        for (int i = 0; i < 5; i++)
        {
            byte[] update = peer.Seal(ContentType.Handshake, Lab.KeyUpdate(requested: true));
            peer.UpdateSendKeys();
            byte[] data = RandomNumberGenerator.GetBytes(1000);
            await peer.SendAsync(update, peer.Seal(ContentType.ApplicationData, data));
            await ours.ReadExactlyAsync(received).AsTask().WaitAsync(Lab.Patience);
            Assert.Equal(data, received);
        }

        Assert.Equal(Lab.CanRekey ? DataPlaneKind.Kernel : DataPlaneKind.UserSpace, ours.Receiving.Kind);
        Assert.Equal(!Lab.CanRekey, ours.Receiving.Reason.Contains("cannot change keys", StringComparison.Ordinal));

        // Asked five times for new keys of ours: answered once, or not at all.
        await ours.WriteAsync(new byte[] { 7 });
        if (Lab.CanRekey)
        {
            (ContentType updateType, byte[] update) = await peer.ReceiveAsync();
            Assert.Equal(ContentType.Handshake, updateType);
            Assert.Equal(Lab.KeyUpdate(), update);
            peer.UpdateReceiveKeys();
        }

        (ContentType type, byte[] content) = await peer.ReceiveAsync();
        Assert.Equal((ContentType.ApplicationData, (byte)7), (type, content.Single()));
    }

    [Fact]
    public async Task TLS_12_needs_no_rekey_and_stays_with_the_kernel()
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions(), SslProtocols.Tls12);
        Assert.Equal((DataPlaneKind.Kernel, DataPlaneKind.Kernel), (link.Ours.Sending.Kind, link.Ours.Receiving.Kind));
    }

    [Fact]
    public async Task The_kernel_receives_where_the_options_say_so_and_a_KeyUpdate_ends_it_by_name()
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { ReceiveWithoutRekey = ReceiveWithoutRekey.Kernel });
        Assert.Equal((DataPlaneKind.Kernel, DataPlaneKind.Kernel), (link.Ours.Sending.Kind, link.Ours.Receiving.Kind));
        await link.SendAsync((ContentType.ApplicationData, [1]), (ContentType.Handshake, Lab.KeyUpdate()), (ContentType.ApplicationData, [2]));
        if (Lab.CanRekey)
        {
            await link.AssertReadsAsync(1, 2);
            return;
        }

        await link.AssertReadsAsync(1);
        KeyUpdateUnavailableException e = await link.AssertReadFailsAsync<KeyUpdateUnavailableException>();
        Assert.Contains(nameof(KTlsOptions.ReceiveWithoutRekey), e.Message, StringComparison.Ordinal);
        Assert.Equal(16, Assert.IsType<KernelTlsException>(e.InnerException).Errno);
        await link.AssertAlertAsync(AlertDescription.InternalError);
        await Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await link.Ours.WriteAsync(new byte[1]));
    }

    [Theory]
    [InlineData(UpdateRequestWithoutRekey.KeepKeys)]
    [InlineData(UpdateRequestWithoutRekey.Close)]
    public async Task A_peer_that_asks_for_new_keys(UpdateRequestWithoutRekey policy)
    {
        using var log = new LogLines();
        await using Link link = await Link.ServerAsync(new KTlsOptions { UpdateRequestWithoutRekey = policy, LoggerFactory = log });
        for (int i = 0; i < 2; i++)
        {
            await link.SendAsync((ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.ApplicationData, [1]));
            await link.AssertReadsAsync(1);
            if (!Lab.CanRekey && policy == UpdateRequestWithoutRekey.Close)
            {
                KeyUpdateUnavailableException e = await Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await link.Ours.WriteAsync(new byte[1]));
                Assert.Contains("asks for new keys", e.Message, StringComparison.Ordinal);
                continue;
            }

            await link.Ours.WriteAsync(new byte[] { 7 });
            if (Lab.CanRekey)
            {
                await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate());
            }

            await link.AssertReceivesAsync(ContentType.ApplicationData, 7);
        }

        if (!Lab.CanRekey && policy == UpdateRequestWithoutRekey.Close)
        {
            await link.AssertReceivesAsync(ContentType.Alert, Lab.CloseNotify);
        }

        // Told once, not for each request.
        Assert.Equal(Lab.CanRekey ? 0 : 1, log.Lines.Count(line => line.StartsWith("Warning", StringComparison.Ordinal)));
        await link.SendAsync((ContentType.ApplicationData, [3]), (ContentType.Alert, Lab.CloseNotify));
        await link.AssertReadsAsync(3);
        Assert.Equal(0, await link.Ours.ReadAsync(new byte[1]));
    }

    /// <summary>Where keys cannot change, the last write that fits is the last one: then comes close_notify, before the limit.</summary>
    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls12, false)]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls12, true)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12, false)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12, true)]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls13, false)]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls13, true)]
    public async Task A_key_that_cannot_change_never_seals_more_than_it_may(DataPlanePolicy plane, SslProtocols protocol, bool asFile)
    {
        const int Limit = 1 << 20;
        const int Write = 50_000;
        using var file = new TempFile(RandomNumberGenerator.GetBytes(Write));
        byte[] data = new byte[Write];
        RandomAccess.Read(file.Handle, data, 0);
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, MaxBytesPerKey = Limit }, protocol);
        bool endless = protocol == SslProtocols.Tls13 && Lab.CanRekey;
        int written = 0;
        Task writing = Task.Run(async () =>
        {
            for (; written < 2 * Limit; written += Write)
            {
                if (asFile)
                {
                    Assert.Equal(Write, await link.Ours.SendFileAsync(file.Handle, 0, long.MaxValue));
                }
                else
                {
                    await link.Ours.WriteAsync(data);
                }
            }
        });
        var received = new MemoryStream();
        ContentType type = ContentType.ApplicationData;
        byte[] content = [];
        long records = 0;
        while (type != ContentType.Alert && received.Length < 2 * Limit)
        {
            (type, content) = await link.ReceiveAsync();
            if (type == ContentType.ApplicationData)
            {
                received.Write(content);
                records++;
            }
        }

        if (endless)
        {
            await writing;
            return;
        }

        Assert.Equal(Lab.CloseNotify, content);
        KeyUpdateUnavailableException e = await Assert.ThrowsAsync<KeyUpdateUnavailableException>(() => writing);
        Assert.Contains(protocol == SslProtocols.Tls12 ? "TLS 1.2" : "6.14", e.Message, StringComparison.Ordinal);

        // Whole writes, as many as fit; a file is counted as a record for each page.
        Assert.Equal(written, received.Length);
        Assert.InRange(received.Length + (48 * records), Limit - (2 * Write) - (asFile ? 48 * Limit / 4096 : 0), Limit);
        for (int i = 0; i < received.Length; i += Write)
        {
            Assert.True(data.AsSpan().SequenceEqual(received.GetBuffer().AsSpan(i, Write)));
        }

        // The other direction lives on.
        await link.SendAsync((ContentType.ApplicationData, [3]));
        await link.AssertReadsAsync(3);
        await Assert.ThrowsAsync<KeyUpdateUnavailableException>(async () => await link.Ours.WriteAsync(new byte[1]));
        await link.Ours.ShutdownAsync();
    }
}
