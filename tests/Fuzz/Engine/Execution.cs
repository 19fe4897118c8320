using System.Diagnostics;
using KTls.Handshake;

namespace KTls.Fuzz;

/// <summary>Runs a target once and holds it to its promises.</summary>
internal static class Execution
{
    /// <summary>Runs a target with an input.</summary>
    /// <returns>Bytes that were allocated.</returns>
    /// <exception cref="FuzzException">The target broke a promise.</exception>
    public static long Run(Target target, ReadOnlySpan<byte> input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Run(input);
        }
        catch (Exception e) when (IsAllowed(target, e))
        {
            // The input is refused.
        }
        catch (Exception e)
        {
            throw new FuzzException(target, input, e is BrokenPromiseException ? e.Message : e.ToString());
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long limit = target.MaxAllocation + ((long)target.MaxAllocationPerByte * input.Length);
        return allocated <= limit
            ? allocated
            : throw new FuzzException(target, input, $"{allocated} bytes were allocated for {input.Length}; {limit} are allowed.");
    }

    // A handshake makes internal_error of any exception: that it came to one is what we look for.
    private static bool IsAllowed(Target target, Exception e) =>
        e is TlsAlertException { ReceivedFromPeer: true } or TlsAlertException { Description: not AlertDescription.InternalError } || e.GetType() == target.Documented;
}

/// <summary>An input that a target does not stand.</summary>
internal sealed class FuzzException(Target target, ReadOnlySpan<byte> input, string message) : Exception(message)
{
    public Target Target { get; } = target;

    public byte[] Input { get; } = input.ToArray();
}

/// <summary>A property that does not hold.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message)
{
    /// <exception cref="BrokenPromiseException"><paramref name="holds"/> is false.</exception>
    public static void ThrowUnless([System.Diagnostics.CodeAnalysis.DoesNotReturnIf(false)] bool holds, string property)
    {
        if (!holds)
        {
            throw new BrokenPromiseException($"It does not hold: {property}");
        }
    }
}
