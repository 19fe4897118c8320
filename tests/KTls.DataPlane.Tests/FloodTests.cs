using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>Peers that send messages for nothing are stopped.</summary>
public sealed class FloodTests
{
    private const int InARow = 32;

    public static TheoryData<DataPlanePolicy, string> Messages()
    {
        var data = new TheoryData<DataPlanePolicy, string>();
        foreach (string what in new[] { "KeyUpdate", "ticket", "user_canceled" })
        {
            data.Add(DataPlanePolicy.RequireKernel, what);
            data.Add(DataPlanePolicy.UserSpace, what);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task Messages_in_a_row_without_data(DataPlanePolicy plane, string what)
    {
        if (what == "KeyUpdate" && !plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        (ContentType, byte[]) message = what switch
        {
            "KeyUpdate" => (ContentType.Handshake, Lab.KeyUpdate()),
            "ticket" => (ContentType.Handshake, Lab.Ticket),
            _ => (ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)),
        };
        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });

        // As many as may be, and data; then one too many.
        for (int i = 0; i < 2; i++)
        {
            await link.SendAsync([.. Enumerable.Repeat(message, InARow), (ContentType.ApplicationData, [1])]);
            await link.AssertReadsAsync(1);
        }

        await link.SendAsync([.. Enumerable.Repeat(message, InARow + 1), (ContentType.ApplicationData, [1])]);
        await link.AssertRefusesAsync(AlertDescription.UnexpectedMessage);
    }

    /// <summary>Each with a byte of data, as fast as they go: 200 in far less than the time that 64 a second allow.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task KeyUpdates_faster_than_the_options_allow(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        for (int i = 0; i < 400; i++)
        {
            await link.SendAsync((ContentType.ApplicationData, [1]), (ContentType.Handshake, Lab.KeyUpdate()));
        }

        int read = 0;
        IOException e = await Assert.ThrowsAsync<IOException>(async () =>
        {
            byte[] one = new byte[1];
            while (await link.Ours.ReadAsync(one).AsTask().WaitAsync(Lab.Patience) != 0)
            {
                read++;
            }
        });
        Assert.Contains(nameof(KTlsOptions.MaxKeyUpdatesPerSecond), e.Message, StringComparison.Ordinal);
        Assert.InRange(read, 65, 399);
        await link.AssertAlertAsync(AlertDescription.UnexpectedMessage);
    }

    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task KeyUpdates_as_fast_as_the_options_allow(DataPlanePolicy plane)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane, MaxKeyUpdatesPerSecond = 1_000_000 });
        for (int i = 0; i < 400; i++)
        {
            await link.SendAsync((ContentType.ApplicationData, [1]), (ContentType.Handshake, Lab.KeyUpdate()));
        }

        await link.AssertReadsAsync([.. Enumerable.Repeat((byte)1, 400)]);
    }

    [Fact]
    public void Time_and_data_bring_permits()
    {
        var rate = new KeyUpdateRate(perSecond: 10);
        Assert.Equal(10, Taken(ref rate, 5000));
        Assert.Equal(0, Taken(ref rate, 5099));
        Assert.Equal(1, Taken(ref rate, 5100));
        Assert.Equal(1, Taken(ref rate, 5200));

        // Never more are stored than a second brings.
        Assert.Equal(10, Taken(ref rate, 100_000));

        // Looking often loses no time.
        int taken = 0;
        for (int now = 100_000; now <= 101_000; now++)
        {
            taken += Taken(ref rate, now);
        }

        Assert.Equal(10, taken);

        // 256 KiB of data for one.
        rate.Add(256 * 1024);
        Assert.Equal(1, Taken(ref rate, 101_000));
        rate.Add((256 * 1024) - 1);
        Assert.Equal(0, Taken(ref rate, 101_000));
        rate.Add(1);
        Assert.Equal(1, Taken(ref rate, 101_000));
        rate.Add(int.MaxValue);
        Assert.Equal(10, Taken(ref rate, 101_000));
    }

    private static int Taken(ref KeyUpdateRate rate, long now)
    {
        int taken = 0;
        while (taken < 1000 && rate.TryTake(now))
        {
            taken++;
        }

        return taken;
    }
}
