using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>Earlier sessions, to be resumed: one for each kind of scenario, made when it is first asked for.</summary>
internal static class Sessions
{
    private static readonly Dictionary<string, byte[]> Known = [];

    /// <summary>The session that a scenario resumes; null: it resumes none.</summary>
    public static ClientSession? For(Scenario scenario)
    {
        if (!scenario.Resumes)
        {
            return null;
        }

        if (!Known.TryGetValue(scenario.SessionKey, out byte[]? exported))
        {
            using var exchange = new Exchange(scenario, script: null, attacksServer: true, session: null);
            exchange.Run();
            exported = exchange.Client.After?.Ticket ?? throw new BrokenPromiseException("An honest server that has tickets gives none.");
            Known.Add(scenario.SessionKey, exported);
        }

        return ClientSession.TryImport(exported);
    }
}
