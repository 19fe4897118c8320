using System.Globalization;
using KTls.DataPlane.Tests.Interleaving;
using KTls.Kernel;

namespace KTls.DataPlane.Tests;

/// <summary>
/// Every order of what can happen to a connection, against a model that predicts each outcome and a peer that opens each record with the
/// key and number that it must have. KTLS_INTERLEAVING says how many steps an order has: 4 if not set; 5 take minutes.
/// </summary>
public sealed class InterleavingTests
{
    // So much lies unread at the most: TCP has room for it, and a new connection is a new beginning.
    private const int MaxUnread = 16;

    private const int LivingSteps = (int)Step.Shutdown;
    private const int AllSteps = (int)Step.PeerResets + 1;

    private static readonly int Length = int.Parse(Environment.GetEnvironmentVariable("KTLS_INTERLEAVING") ?? "4", CultureInfo.InvariantCulture);
    private static readonly int LengthWithEnds = Math.Max(2, Length - 2);

    /// <summary>A server's first data comes with the end of the handshake: user space reads it, then the kernel takes over.</summary>
    public static TheoryData<KernelDirections, ReceiveWithoutRekey, UpdateRequestWithoutRekey, bool> Setups => new()
    {
        { KernelDirections.Both, ReceiveWithoutRekey.UserSpace, UpdateRequestWithoutRekey.KeepKeys, true },
        { KernelDirections.Both, ReceiveWithoutRekey.Kernel, UpdateRequestWithoutRekey.Close, false },
        { KernelDirections.Send, ReceiveWithoutRekey.UserSpace, UpdateRequestWithoutRekey.Close, true },
        { KernelDirections.Receive, ReceiveWithoutRekey.Kernel, UpdateRequestWithoutRekey.KeepKeys, true },
        { KernelDirections.None, ReceiveWithoutRekey.UserSpace, UpdateRequestWithoutRekey.KeepKeys, false },
    };

    [Theory]
    [MemberData(nameof(Setups))]
    public async Task Every_order_while_the_connection_lives(KernelDirections directions, ReceiveWithoutRekey receive, UpdateRequestWithoutRekey request, bool isClient)
    {
        // What is tried once per process would count, too.
        Assert.All(Enum.GetValues<KernelCipher>(), cipher => Assert.Equal(Lab.CanRekey, RekeySupport.IsAvailable(cipher)));
        TlsStatistics before = TlsStatistics.Read()!;
        var setup = new Setup(directions, receive, request, isClient);
        (long updates, long pauses) = await TakeAllAsync(setup, Orders.Of(LivingSteps, Length), Length);

        // The kernel has counted the same, if it knows of key updates at all.
        TlsStatistics after = TlsStatistics.Read()!;
        long? Counted(Func<TlsStatistics, long?> counter) => counter(after) - counter(before);
        long? Expected(bool byKernel, long count) => !Lab.CanRekey ? null : byKernel ? count : 0;
        Assert.Equal(Expected(setup.KernelSends, updates), Counted(statistics => statistics.TransmitRekeys));
        Assert.Equal(Expected(setup.KernelReceives, pauses), Counted(statistics => statistics.ReceiveRekeys));
        Assert.Equal(0, Counted(statistics => statistics.DecryptErrors));
    }

    /// <summary>Ends are frequent here and need a new connection each, so the orders are shorter.</summary>
    [Theory]
    [MemberData(nameof(Setups))]
    public Task Every_order_with_ends(KernelDirections directions, ReceiveWithoutRekey receive, UpdateRequestWithoutRekey request, bool isClient) =>
        TakeAllAsync(new Setup(directions, receive, request, isClient), Orders.Of(AllSteps, LengthWithEnds), LengthWithEnds);

    // After its end a connection takes the rest of the orders that have it; those that begin later begin on a new one.
    private static async Task<(long Updates, long Pauses)> TakeAllAsync(Setup setup, Step[] steps, int length)
    {
        long updates = 0;
        long pauses = 0;
        for (int begin = 0; begin <= steps.Length - length;)
        {
            int i = begin;
            await using Run run = await Run.BeginAsync(setup);
            try
            {
                while (i < steps.Length && !run.Model.IsOver && run.Model.Unread < MaxUnread)
                {
                    await run.TakeAsync(steps[i++]);
                }

                begin = i;
                while (i < steps.Length && i < begin + length - 1)
                {
                    await run.TakeAsync(steps[i++]);
                }

                await run.SettleAsync();
                await run.TakeAsync(Step.Dispose);
            }
            catch (Exception e)
            {
                Assert.Fail($"{setup}: {string.Join(", ", run.Steps)}: {e}");
            }

            updates += run.Model.UpdatesSent;
            pauses += run.Model.Pauses;
        }

        return (updates, pauses);
    }
}
