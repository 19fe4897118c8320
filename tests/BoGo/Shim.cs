using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The connections of one test.</summary>
internal static class Shim
{
    public static void Run(ShimFlags flags)
    {
        using var state = new TestState();
        RunConnection(flags, flags.Initial, state, isResumption: false);
        for (int i = 0; i < flags.ResumeCount; i++)
        {
            state.Clock.Advance((i == 0 ? flags.Initial : flags.Resume).ResumptionDelaySeconds);
            RunConnection(flags, flags.Resume, state, isResumption: true);
        }
    }

    private static void RunConnection(ShimFlags flags, ConnectionFlags connection, TestState state, bool isResumption)
    {
        if (isResumption && !connection.IsServer && state.Session is null)
        {
            throw new ShimException("There is no session to resume.");
        }

        var credentials = new ShimCredentials(connection);
        using TlsHandshake handshake = connection.IsServer
            ? new ServerHandshake(Options.Limits(connection))
            : new ClientHandshake(Options.ForClient(connection, credentials, state));
        using Transport transport = Transport.Connect(flags);
        new HandshakeLoop(transport, connection, credentials, state, isResumption && !connection.ExpectsFullHandshake).Run(handshake);
        using RunnerConnection data = transport.Establish(handshake);
        Expectations.Check(connection, handshake, data.Facts, credentials, isResumption);
        new Exchange(connection, data).Run();
        Expectations.CheckTicket(connection, data);
        state.Keep(data.Ticket);
    }
}
