using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>The state machines. An input is a script.</summary>
internal static class HandshakeTargets
{
    public static IEnumerable<Target> All { get; } =
    [
        Of("Server13", isTls13: true, attacksServer: true),
        Of("Client13", isTls13: true, attacksServer: false),
        Of("Server12", isTls13: false, attacksServer: true),
        Of("Client12", isTls13: false, attacksServer: false),
    ];

    // The ends count what they allocate themselves; the rest is the attacker's.
    private static Target Of(string name, bool isTls13, bool attacksServer) =>
        new(name, input => Run(input, isTls13, attacksServer)) { MaxLength = 256, Weight = 8, MaxAllocation = 256 << 20 };

    private static void Run(ReadOnlySpan<byte> input, bool isTls13, bool attacksServer)
    {
        var script = new Script(input);
        var scenario = new Scenario(script, isTls13);
        using ClientSession? session = Sessions.For(scenario);
        using var exchange = new Exchange(scenario, script, attacksServer, session);
        exchange.Run();
        if (exchange.IsUndisturbed)
        {
            BrokenPromiseException.ThrowUnless(exchange.Client.After!.Session.IsResumed == (session is not null), "an undisturbed session is resumed");
            Agreement.CheckData(exchange.Client.After, exchange.Server.After!, scenario.KeyUpdates);
        }
    }
}
