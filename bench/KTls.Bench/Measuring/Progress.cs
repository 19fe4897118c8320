namespace KTls.Bench;

/// <summary>What a long run tells meanwhile, on standard error.</summary>
internal static class Progress
{
    /// <summary>Tells which repetition begins.</summary>
    /// <param name="scenario">Its name.</param>
    /// <param name="repetition">From 0; below, it does not count.</param>
    /// <param name="count">So many will count.</param>
    /// <param name="what">What of the scenario, if not all of it.</param>
    public static void Tell(string scenario, int repetition, int count, string? what = null) =>
        Console.Error.WriteLine($"{scenario}: {(repetition < 0 ? "warming up" : $"repetition {repetition + 1} of {count}")}{(what is null ? "" : $", {what}")}");
}
