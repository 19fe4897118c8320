using KTls.Handshake.Wire;

namespace KTls.Fuzz;

/// <summary>
/// Sees to it that the fuzzer fuzzes: from nothing it has to come to a message of three vectors, which takes it too long without
/// coverage, and to notice what is planted behind it.
/// </summary>
internal static class SelfCheck
{
    private const int Executions = 400_000;

    /// <exception cref="InvalidOperationException">The fuzzer does not find what it should.</exception>
    public static void Run(int seed)
    {
        var target = new Target("SelfCheck", input =>
        {
            ServerKeyExchange exchange = ServerKeyExchange.Read(Parsers.Message.Of(HandshakeType.ServerKeyExchange, input));
            BrokenPromiseException.ThrowUnless(exchange.Signature.Length < 3, "planted");
        });
        var fuzzer = new Fuzzer(target, seed, box: null);
        try
        {
            fuzzer.Run(TimeSpan.FromMinutes(1), Executions);
        }
        catch (FuzzException e) when (e.Message.Contains("planted", StringComparison.Ordinal))
        {
            return;
        }

        throw new InvalidOperationException($"The fuzzer does not find a planted failure: {fuzzer.Steps} steps were seen in {fuzzer.Executions} executions. Is KTls.Handshake.dll instrumented?");
    }
}
