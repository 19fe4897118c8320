namespace KTls.Handshake.Resumption;

/// <summary>What a clock said a moment ago: a step of a handshake looks once, for on a machine without a vDSO that is a system call.</summary>
/// <param name="Clock">The clock; null, the default: none has been read yet.</param>
/// <param name="Now">What it said.</param>
internal readonly record struct ClockReading(TimeProvider? Clock, DateTimeOffset Now)
{
    /// <summary>Looks at a clock.</summary>
    public static ClockReading Of(TimeProvider clock) => new(clock, clock.GetUtcNow());

    /// <summary>What a clock says that need not be the same one.</summary>
    public DateTimeOffset On(TimeProvider clock) => ReferenceEquals(clock, Clock) ? Now : clock.GetUtcNow();
}
