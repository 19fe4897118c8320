using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>A handshake between two ends of ours, with an attacker in one direction and a caller of bad manners at the end that is attacked.</summary>
internal sealed class Exchange : IDisposable
{
    private const int MostRounds = 64;

    private readonly Direction _toServer;
    private readonly Direction _toClient;

    public Exchange(Scenario scenario, Script? script, bool attacksServer, ClientSession? session)
    {
        Server = new End(isServer: true);
        Client = new End(isServer: false);
        ServerHandshakeOptions options = scenario.ServerOptions(Server.Log);
        Server.Handshake = new ServerHandshake();
        Client.Handshake = new ClientHandshake(scenario.ClientOptions(Client.Log, session));
        _toServer = Towards(Server, Client, attacksServer ? script : null);
        _toClient = Towards(Client, Server, attacksServer ? null : script);

        Direction Towards(End to, End from, Script? script) =>
            new(from, to, new Attacker(script, scenario.MaxContent(to.IsServer)), new Caller(to, script, options));
    }

    public End Server { get; }

    public End Client { get; }

    /// <summary>Whether nothing was done to it that may keep it from completing.</summary>
    public bool IsUndisturbed => !_toServer.IsDisturbed && !_toClient.IsDisturbed;

    /// <summary>Runs it to its end, good or bad.</summary>
    /// <exception cref="BrokenPromiseException">Something happened that must not.</exception>
    public void Run()
    {
        for (int round = 0; round < MostRounds && (_toServer.Move() | _toClient.Move()); round++)
        {
        }

        if (IsUndisturbed)
        {
            BrokenPromiseException.ThrowUnless(
                Server.IsComplete && Client.IsComplete && Server.Failure is null && Client.Failure is null,
                $"an undisturbed handshake completes (client {Client.Handshake.Status}, {Client.Failure?.Message}; server {Server.Handshake.Status}, {Server.Failure?.Message})");
        }

        if (Server.IsComplete && Client.IsComplete)
        {
            Agreement.CheckSessions(Client.After!.Session, Server.After!.Session);
        }

        Server.CheckAllocation();
        Client.CheckAllocation();
        _toServer.CheckEnd();
        _toClient.CheckEnd();
    }

    public void Dispose()
    {
        _toServer.Dispose();
        _toClient.Dispose();
        Server.Dispose();
        Client.Dispose();
    }
}
