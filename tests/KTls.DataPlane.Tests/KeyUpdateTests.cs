using System.Diagnostics;
using System.Security.Authentication;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane.Tests;

/// <summary>KeyUpdate in both directions: which record is sealed with which key.</summary>
public sealed class KeyUpdateTests
{
    [Fact]
    public void Whether_the_kernel_can_change_keys_is_found_out_by_trying()
    {
        foreach (KernelCipher cipher in Enum.GetValues<KernelCipher>())
        {
            Assert.Equal(Lab.CanRekey, RekeySupport.IsAvailable(cipher));
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, false)]
    [InlineData(DataPlanePolicy.RequireKernel, true)]
    [InlineData(DataPlanePolicy.UserSpace, false)]
    [InlineData(DataPlanePolicy.UserSpace, true)]
    public async Task An_update_of_ours_comes_between_two_records(DataPlanePolicy plane, bool request)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane });
        await link.Ours.WriteAsync(new byte[] { 1 });
        await link.AssertReceivesAsync(ContentType.ApplicationData, 1);
        if (!plane.CanUpdate())
        {
            // The connection goes on as if nothing had been asked.
            await Assert.ThrowsAsync<PlatformNotSupportedException>(() => link.Ours.UpdateKeysAsync(request));
            await link.Ours.WriteAsync(new byte[] { 2 });
            await link.AssertReceivesAsync(ContentType.ApplicationData, 2);
            return;
        }

        for (int i = 0; i < 3; i++)
        {
            await link.Ours.UpdateKeysAsync(request);
            await link.Ours.WriteAsync(new byte[] { 2 });
            await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate(request));
            Assert.Equal(0ul, link.Peer.ReceiveSequence);
            await link.AssertReceivesAsync(ContentType.ApplicationData, 2);
            await link.SendAsync((ContentType.ApplicationData, [3]), (ContentType.Handshake, Lab.KeyUpdate()), (ContentType.ApplicationData, [4]));
            if (plane == DataPlanePolicy.UserSpace || Lab.CanRekey)
            {
                await link.AssertReadsAsync(3, 4);
            }
        }

        await link.Ours.ShutdownAsync();
        await link.AssertReceivesAsync(ContentType.Alert, Lab.CloseNotify);
        await Assert.ThrowsAsync<InvalidOperationException>(() => link.Ours.UpdateKeysAsync());
    }

    /// <summary>Both ends ask at the same time: each answers once, and neither answer asks again.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task Requests_that_cross(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        await link.Ours.UpdateKeysAsync(requestPeerUpdate: true);
        await link.SendAsync((ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.ApplicationData, [1]));
        await link.AssertReadsAsync(1);
        await link.Ours.UpdateKeysAsync(requestPeerUpdate: true);
        await link.Ours.WriteAsync(new byte[] { 2 });
        await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate(requested: true));
        await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate(requested: false));
        await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate(requested: true));
        await link.AssertReceivesAsync(ContentType.ApplicationData, 2);
    }

    /// <summary>Several requests before our next data are answered by one update; data without a request needs none.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task Requests_are_answered_before_the_next_data(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        await link.SendAsync(
            (ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.Handshake, Lab.KeyUpdate(requested: true)), (ContentType.ApplicationData, [1]));
        await link.AssertReadsAsync(1);
        await link.Ours.WriteAsync(new byte[] { 2 });
        await link.Ours.WriteAsync(new byte[] { 3 });
        await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate());
        await link.AssertReceivesAsync(ContentType.ApplicationData, 2);
        await link.AssertReceivesAsync(ContentType.ApplicationData, 3);
    }

    /// <summary>
    /// The kernel opens a KeyUpdate that stands behind data together with the data, keeps it, and poll(2) does not tell of it: who only
    /// waits would wait for ever.
    /// </summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task A_read_without_room_sees_a_KeyUpdate_that_came_with_data(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane });
        byte[] buffer = new byte[100];
        for (byte i = 0; i < 3; i++)
        {
            await link.SendAsync((ContentType.ApplicationData, [i]), (ContentType.Handshake, Lab.KeyUpdate()));
            Assert.Equal(1, await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
            Assert.Equal(i, buffer[0]);
            await link.SendAsync((ContentType.ApplicationData, [i]));
            Assert.Equal(0, await link.Ours.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Lab.Patience));
            await link.AssertReadsAsync(i);
        }
    }

    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task TLS_12_has_no_key_update(DataPlanePolicy plane)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane }, SslProtocols.Tls12);
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => link.Ours.UpdateKeysAsync());
        Assert.Contains("TLS 1.2", e.Message, StringComparison.Ordinal);
        await link.Ours.WriteAsync(new byte[] { 2 });
        await link.AssertReceivesAsync(ContentType.ApplicationData, 2);
    }

    /// <summary>An update has its turn while a write or a file of many pieces is under way: the peer follows it to the record.</summary>
    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, "memory")]
    [InlineData(DataPlanePolicy.RequireKernel, "memory, by a thread that blocks")]
    [InlineData(DataPlanePolicy.RequireKernel, "a file")]
    [InlineData(DataPlanePolicy.UserSpace, "memory")]
    [InlineData(DataPlanePolicy.UserSpace, "memory, by a thread that blocks")]
    [InlineData(DataPlanePolicy.UserSpace, "a file")]
    public async Task Updates_during_a_long_write(DataPlanePolicy plane, string from)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        const int Size = 8 << 20;
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane }, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace }, bufferSize: 65536);
        byte[] data = System.Security.Cryptography.RandomNumberGenerator.GetBytes(Size);
        using var file = new TempFile(data);
        Thread? blocked = null;
        Task writing = from switch
        {
            "a file" => Task.Run(() => pair.Client.SendFileAsync(file.Handle, 0, Size).AsTask()),
            "memory" => Task.Run(() => pair.Client.WriteAsync(data).AsTask()),
            _ => Task.Factory.StartNew(Block, TaskCreationOptions.LongRunning),
        };
        await Task.Delay(100);
        Assert.False(writing.IsCompleted, "Nobody reads, and TCP's buffers hold less.");
        Task[] updates = [.. Enumerable.Range(0, 5).Select(_ => pair.Client.UpdateKeysAsync())];

        // Enough for the piece that is under way, not for the write.
        byte[] received = new byte[Size];
        await pair.Server.ReadExactlyAsync(received.AsMemory(0, 3 << 20)).AsTask().WaitAsync(Lab.Patience);
        await Task.WhenAll(updates).WaitAsync(Lab.Patience);

        // Having waited for its turn, it goes on to wait for room itself, and not for a thread of the pool that would do so.
        for (Stopwatch watch = Stopwatch.StartNew(); blocked is not null && (blocked.ThreadState & System.Threading.ThreadState.WaitSleepJoin) != 0; await Task.Delay(10))
        {
            Assert.True(watch.Elapsed < Lab.Patience, "The writer's own thread has nothing to do.");
        }

        Assert.False(writing.IsCompleted, "The updates come before the rest of the write.");
        await pair.Server.ReadExactlyAsync(received.AsMemory(3 << 20)).AsTask().WaitAsync(Lab.Patience);
        await writing.WaitAsync(Lab.Patience);
        Assert.True(data.AsSpan().SequenceEqual(received));

        void Block()
        {
            blocked = Thread.CurrentThread;
            pair.Client.Write(data, 0, Size);
        }
    }

    /// <summary>Both ends send, receive and change their keys at once.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task Updates_both_ways_with_data_both_ways(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        var options = new KTlsOptions { DataPlane = plane, MaxKeyUpdatesPerSecond = 1_000_000 };
        await using StreamPair pair = await StreamPair.ConnectAsync(options, options);
        await Task.WhenAll(RunAsync(pair.Client, 1), RunAsync(pair.Server, 2)).WaitAsync(Lab.Patience);

        async Task RunAsync(KTlsStream stream, int seed)
        {
            const int Size = 3 << 20;
            byte[] sent = new byte[Size];
            byte[] expected = new byte[Size];
            new Random(seed).NextBytes(sent);
            new Random(3 - seed).NextBytes(expected);
            byte[] received = new byte[Size];
            Task reading = stream.ReadExactlyAsync(received).AsTask();
            var random = new Random(seed);
            for (int position = 0; position < Size;)
            {
                int count = Math.Min(random.Next(1, 40_000), Size - position);
                await stream.WriteAsync(sent.AsMemory(position, count));
                position += count;
                if (random.Next(2) == 0)
                {
                    await stream.UpdateKeysAsync(requestPeerUpdate: random.Next(2) == 0);
                }
            }

            await reading;
            Assert.True(expected.AsSpan().SequenceEqual(received));
        }
    }
}
