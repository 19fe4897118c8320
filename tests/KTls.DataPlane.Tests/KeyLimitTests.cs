using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>Keys change before they have sealed too much, by themselves; a peer's are held to the same.</summary>
public sealed class KeyLimitTests
{
    private const int MinRecords = 16;

    public static TheoryData<DataPlanePolicy, string> Ways()
    {
        var data = new TheoryData<DataPlanePolicy, string>();
        foreach (string how in new[] { "one write", "small writes", "file", "file at an odd offset" })
        {
            data.Add(DataPlanePolicy.RequireKernel, how);
            data.Add(DataPlanePolicy.UserSpace, how);
        }

        return data;
    }

    /// <summary>The peer counts: no key seals more records than the option says, and the bytes are those that were sent.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task No_key_seals_more_records_than_it_may(DataPlanePolicy plane, string how)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, RekeyAfterRecords = MinRecords });
        byte[] data = RandomNumberGenerator.GetBytes(how == "small writes" ? 20_000 : 1_000_000);
        Task sending = Task.Run(() => SendAsync(link.Ours, data, how));
        (byte[] received, List<ulong> records) = await ReceiveAsync(link, data.Length);
        await sending;
        Assert.True(data.AsSpan().SequenceEqual(received));
        Assert.InRange(records.Count, data.Length / (MinRecords * RecordHeader.MaxPlaintext), int.MaxValue);
        Assert.All(records, count => Assert.InRange(count, 1ul, (ulong)MinRecords));
    }

    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task No_key_seals_more_bytes_than_it_may(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, RekeyAfterBytes = 65536 });
        byte[] data = RandomNumberGenerator.GetBytes(400_000);
        Task sending = link.Ours.WriteAsync(data).AsTask();
        (byte[] received, List<ulong> records) = await ReceiveAsync(link, data.Length);
        await sending;
        Assert.True(data.AsSpan().SequenceEqual(received));
        Assert.Equal(data.Length / 65536, records.Count);
        Assert.All(records, count => Assert.Equal(5ul, count));
    }

    /// <summary>A peer that sends on and on under one key is asked for the next, once for each key, also when we send nothing.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task A_peer_is_asked_for_new_keys(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, RekeyAfterRecords = MinRecords });
        for (int generation = 0; generation < 3; generation++)
        {
            byte[] data = RandomNumberGenerator.GetBytes(3 * MinRecords);
            await link.SendDataAsync(data, 1);
            await link.AssertReadsAsync(data);
            await link.AssertReceivesAsync(ContentType.Handshake, Lab.KeyUpdate(requested: true));

            // It does not follow at once, and is not asked again.
            await link.SendDataAsync(data, 1);
            await link.AssertReadsAsync(data);
            await link.Ours.WriteAsync(new byte[] { 1 });
            await link.AssertReceivesAsync(ContentType.ApplicationData, 1);
            await link.SendAsync((ContentType.Handshake, Lab.KeyUpdate()));
        }
    }

    /// <summary>MaxBytesPerKey is about what we seal. What the peer seals with one key is bounded by the cipher alone, and asked to be less by RekeyAfterBytes.</summary>
    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12)]
    public async Task A_peer_may_seal_more_with_one_key_than_we(DataPlanePolicy plane, SslProtocols protocol)
    {
        const int Size = 2 << 20;
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane, MaxBytesPerKey = 1 << 20 }, protocol);
        byte[] data = RandomNumberGenerator.GetBytes(Size);
        Task sending = Task.Run(() => link.SendDataAsync(data, 10_000));
        await link.AssertReadsAsync(data);
        await sending;

        // Neither was it asked for other keys.
        await link.Ours.WriteAsync(new byte[] { 1 });
        await link.AssertReceivesAsync(ContentType.ApplicationData, 1);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(10_000, true)]
    [InlineData(10_000, false)]
    public void A_peer_that_seals_too_much_with_one_key_is_refused(int recordSize, bool recordsAreKnown)
    {
        const long Limit = 1 << 20;
        var limits = new KeyLimits(long.MaxValue, long.MaxValue, Limit / 2, Limit);
        OpenedUsage opened = default;
        long bytes = 0;
        ulong records = 0;
        TlsAlertException e = Assert.Throws<TlsAlertException>(() =>
        {
            while (bytes <= Limit)
            {
                bytes += recordSize;
                records++;
                if (opened.Add(recordSize))
                {
                    opened.Look(limits, recordsAreKnown ? records : null);
                }
            }
        });
        Assert.Equal(AlertDescription.UnexpectedMessage, e.Description);
        long cost = KeyUsage.CostOf(bytes, recordsAreKnown ? (long)records : bytes / RecordHeader.MaxPlaintext);
        Assert.InRange(cost, Limit + 1, Limit + 20_000);
    }

    [Fact]
    public void The_limits_are_those_of_the_RFCs()
    {
        // 2^24.5 records of 2^14 bytes (RFC 8446 §5.5); 2^23 with CCM (RFC 9147 §4.5.3).
        double gcm = Math.Pow(2, 24.5) * (1 << 14);
        double ccm = Math.Pow(2, 23) * (1 << 14);
        var defaults = new KTlsOptions();
        foreach ((TlsCipherSuite suite, double safe) in new[]
        {
            (TlsCipherSuite.TLS_AES_128_GCM_SHA256, gcm), (TlsCipherSuite.TLS_AES_256_GCM_SHA384, gcm), (TlsCipherSuite.TLS_AES_128_CCM_SHA256, ccm),
            (TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, gcm), (TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, ccm),
        })
        {
            KeyLimits limits = KeyLimits.Of(suite, defaults);
            Assert.InRange(limits.MaxCost, 1, safe);
            Assert.InRange(limits.RekeyRecords * (1L << 14), 1, safe / 2);
            Assert.InRange(limits.RekeyBytes, 1, safe / 4);
            Assert.InRange(limits.MaxOpenedCost, safe / 2, safe * 1.1);
        }

        Assert.InRange(KeyLimits.Of(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, defaults).MaxCost, 1L << 50, long.MaxValue / 4);
        KeyLimits lower = KeyLimits.Of(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, new KTlsOptions { MaxBytesPerKey = 1 << 20 });
        Assert.Equal(KeyLimits.Of(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, defaults) with { MaxCost = 1 << 20 }, lower);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.RekeyAfterRecords = 15);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.RekeyAfterRecords = (1 << 22) + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.RekeyAfterBytes = 65535);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.RekeyAfterBytes = (1L << 36) + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.MaxBytesPerKey = (1 << 20) - 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => defaults.MaxKeyUpdatesPerSecond = 0);
    }

    private static async Task SendAsync(KTlsStream stream, byte[] data, string how)
    {
        switch (how)
        {
            case "one write":
                await stream.WriteAsync(data);
                break;
            case "small writes":
                foreach (byte[] piece in data.Chunk(100))
                {
                    await stream.WriteAsync(piece);
                }

                break;
            default:
                int before = how == "file" ? 0 : 1234;
                using (var file = new TempFile([.. new byte[before], .. data]))
                {
                    Assert.Equal(data.Length, await stream.SendFileAsync(file.Handle, before, long.MaxValue));
                }

                break;
        }
    }

    // The data, and how many records each key has sealed, the KeyUpdate included; of the last key nothing.
    private static async Task<(byte[] Data, List<ulong> Records)> ReceiveAsync(Link link, int length)
    {
        var data = new MemoryStream();
        var records = new List<ulong>();
        while (data.Length < length)
        {
            ulong number = link.Peer.ReceiveSequence;
            (ContentType type, byte[] content) = await link.ReceiveAsync();
            if (type == ContentType.Handshake)
            {
                Assert.Equal(Lab.KeyUpdate(), content);
                records.Add(number + 1);
            }
            else
            {
                data.Write(content);
            }
        }

        return (data.ToArray(), records);
    }
}
