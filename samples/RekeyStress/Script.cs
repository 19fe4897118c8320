namespace RekeyStress;

/// <summary>When an end changes its keys, seen from the data of the same step.</summary>
internal enum UpdateMoment
{
    Before,
    During,
    After,
}

/// <summary>One step of a sending end: a piece of data, and changes of its keys around it.</summary>
/// <param name="Size">Bytes of data, at least one: too many KeyUpdates in a row without data are refused by the receiver.</param>
/// <param name="AsFile">By sendfile rather than by a write.</param>
/// <param name="Updates">How many times the keys change.</param>
/// <param name="Requests">A bit for each of them: whether the peer is asked to change its own.</param>
/// <param name="Moment">When they change.</param>
/// <param name="Pause">A rest after the step, mostly none.</param>
internal readonly record struct Step(int Size, bool AsFile, int Updates, int Requests, UpdateMoment Moment, TimeSpan Pause);

/// <summary>One call of a reading end.</summary>
/// <param name="Size">Room for so many bytes.</param>
/// <param name="WaitsFirst">Whether a read without room waits for data before.</param>
/// <param name="IsInterrupted">Whether it is cancelled if it does not complete at once.</param>
/// <param name="Pause">A rest after it, mostly none.</param>
internal readonly record struct ReadStep(int Size, bool WaitsFirst, bool IsInterrupted, TimeSpan Pause);

/// <summary>What one end does, step by step. It follows from the seed alone, whatever the network and the peer do.</summary>
internal static class Script
{
    /// <summary>Numbers for one purpose, from those that name it: the seed of the run, the connection, ...</summary>
    public static Random RandomOf(params ReadOnlySpan<int> names)
    {
        // FNV-1a over whole numbers, mixed at the end: neighbours get seeds that have nothing in common.
        ulong hash = 14695981039346656037;
        foreach (int name in names)
        {
            hash = (hash ^ (uint)name) * 1099511628211;
        }

        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        return new Random((int)(hash >> 33));
    }

    public static Step NextStep(Random random)
    {
        int size = random.Next(100) switch
        {
            < 50 => random.Next(1, 300),
            < 85 => random.Next(1, 16_385),
            < 99 => random.Next(16_384, 65_536),

            // More than the library sends in one piece: key updates come between two of them.
            _ => random.Next(65_536, 3 << 19),
        };
        return new Step(
            size, AsFile: random.Next(4) == 0, Updates: random.Next(4), Requests: random.Next(8), (UpdateMoment)random.Next(3), Pause(random, 64));
    }

    public static ReadStep NextRead(Random random) => new(
        random.Next(16) == 0 ? random.Next(1, 9) : random.Next(1, 65_536),
        WaitsFirst: random.Next(16) == 0, IsInterrupted: random.Next(32) == 0, Pause(random, 128));

    private static TimeSpan Pause(Random random, int oneIn) =>
        random.Next(oneIn) == 0 ? TimeSpan.FromMilliseconds(random.Next(1, 20)) : TimeSpan.Zero;
}
