namespace KTls.Kernel.Tests;

public class ManyConnectionsTests
{
    [Fact]
    public async Task A_thousand_connections_one_after_the_other_leave_nothing_in_process_and_kernel()
    {
        await UseAsync(Open());
        Footprint before = Footprint.Now();
        for (int i = 0; i < 1000; i++)
        {
            await UseAsync(Open());
        }

        await before.AssertUnchangedAsync();
    }

    [Fact]
    public async Task Five_hundred_connections_at_once_leave_nothing_in_process_and_kernel()
    {
        await UseAsync(Open());
        Footprint before = Footprint.Now();
        KernelPair[] pairs = [.. Enumerable.Range(0, 500).Select(_ => Open())];
        Assert.Equal(before.Sending + 1000, TlsStatistics.Read()!.CurrentTransmitSoftware);
        Assert.Equal(before.Receiving + 1000, TlsStatistics.Read()!.CurrentReceiveSoftware);
        await Task.WhenAll(pairs.Select(UseAsync)).Soon();
        await before.AssertUnchangedAsync();
    }

    private static KernelPair Open() => KernelPair.Secure();

    private static async Task UseAsync(KernelPair pair)
    {
        using (pair)
        {
            byte[] up = Transfer.Bytes(1000);
            Task<byte[]> atServer = Transfer.ReceiveAsync(pair.Server, up.Length);
            await pair.Client.SendAsync(up, CancellationToken.None);
            Assert.Equal(up, await atServer);
            Task<byte[]> atClient = Transfer.ReceiveAsync(pair.Client, up.Length);
            await pair.Server.SendAsync(up, CancellationToken.None);
            Assert.Equal(up, await atClient);
        }
    }

    private sealed record Footprint(int Descriptors, int Registered, long? Sending, long? Receiving)
    {
        public static Footprint Now()
        {
            TlsStatistics? statistics = TlsStatistics.Read();
            Assert.NotNull(statistics);
            return new Footprint(
                Support.Descriptors.Count(), ReadinessThread.Shared.Count,
                statistics.CurrentTransmitSoftware, statistics.CurrentReceiveSoftware);
        }

        public async Task AssertUnchangedAsync()
        {
            // The kernel takes connections down in its own time.
            for (int i = 0; i < 100 && Now() != this; i++)
            {
                await Task.Delay(20);
            }

            Assert.Equal(this, Now());
        }
    }
}
