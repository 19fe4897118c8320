using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The connections of one test.</summary>
internal static class Shim
{
    public static void Run(ShimFlags flags)
    {
        if (flags.ResumeCount != 0)
        {
            throw new UnimplementedException("Resumption.");
        }

        RunConnection(flags, flags.Initial);
        for (int i = 0; i < flags.ResumeCount; i++)
        {
            RunConnection(flags, flags.Resume);
        }
    }

    private static void RunConnection(ShimFlags flags, ConnectionFlags connection)
    {
        using TlsHandshake handshake = connection.IsServer ? new ServerHandshake() : new ClientHandshake(Options.ForClient(connection));
        using RecordStream stream = RecordStream.Connect(flags);
        new HandshakeLoop(stream, connection).Run(handshake);
        using TlsSession session = handshake.TakeSession();
        Expectations.Check(connection, handshake, session);
        using var data = new DataPlane(stream, session);
        new Exchange(connection, data).Run();
    }
}
