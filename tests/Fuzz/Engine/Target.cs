using KTls.Handshake;

namespace KTls.Fuzz;

/// <summary>What takes the bytes of an input.</summary>
/// <param name="input">The input: any bytes at all.</param>
internal delegate void InputConsumer(ReadOnlySpan<byte> input);

/// <summary>Something that is fuzzed, and what it must keep to for every input.</summary>
/// <param name="Name">The name on the command line and of the corpus' file.</param>
/// <param name="Run">Takes an input. It throws <see cref="TlsAlertException"/>, or nothing.</param>
internal sealed record Target(string Name, InputConsumer Run)
{
    /// <summary>The most bytes of an input that the fuzzer makes.</summary>
    public int MaxLength { get; init; } = 4096;

    /// <summary>The exception beside <see cref="TlsAlertException"/> that is documented; null: there is none.</summary>
    public Type? Documented { get; init; }

    /// <summary>Bytes that an execution may allocate whatever the input: what refuses it, buffers from the pool.</summary>
    public int MaxAllocation { get; init; } = 256 * 1024;

    /// <summary>Bytes that an execution may allocate for each byte of the input, beside that.</summary>
    public int MaxAllocationPerByte { get; init; } = 64;

    /// <summary>The share of the time that the target gets: 1, or more where an execution takes long.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether inputs are DER: they are changed as trees then, too.</summary>
    public bool IsDer { get; init; }
}
