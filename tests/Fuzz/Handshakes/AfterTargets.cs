using KTls.Fuzz.Parsers;
using KTls.Handshake;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Handshakes;

/// <summary>
/// What an end sends after a handshake that nobody has disturbed: it has the keys and keeps to nothing else. An input is a script.
/// </summary>
internal static class AfterTargets
{
    private const int MostRecords = 32;

    public static IEnumerable<Target> All { get; } = [Of("After13", isTls13: true), Of("After12", isTls13: false)];

    private static Target Of(string name, bool isTls13) => new(name, input => Run(input, isTls13)) { MaxLength = 512, Weight = 4, MaxAllocation = 256 << 20 };

    private static void Run(ReadOnlySpan<byte> input, bool isTls13)
    {
        var script = new Script(input);
        var scenario = new Scenario(script, isTls13);
        using var exchange = new Exchange(scenario, script: null, attacksServer: true, session: null);
        exchange.Run();
        (AfterHandshake from, AfterHandshake to) = script.Next() % 2 == 0
            ? (exchange.Server.After!, exchange.Client.After!)
            : (exchange.Client.After!, exchange.Server.After!);
        for (int records = 0; records < MostRecords && !script.IsAtEnd; records++)
        {
            (ContentType type, byte[] content) = NextRecord(script);
            Trace.Write($"{type} of {content.Length} bytes: {Convert.ToHexStringLower(content)}");
            int updates = to.KeyUpdates;
            to.Receive(from.Seal(type, content));
            BrokenPromiseException.ThrowUnless(to.KeyUpdates <= updates + 1 && (isTls13 || to.KeyUpdates == 0), "a record has one KeyUpdate at most, and TLS 1.2 has none");
            if (to.KeyUpdates != updates)
            {
                BrokenPromiseException.ThrowUnless(!to.IsInsideMessage, "a KeyUpdate ends its record (RFC 8446 §5.1)");
                from.ChangeKeys();
            }

            CheckTicket(to);
        }

        // What was taken has done no harm.
        Agreement.CheckData(exchange.Client.After!, exchange.Server.After!, keyUpdates: 0);
    }

    private static (ContentType Type, byte[] Content) NextRecord(Script script) => (script.Next() % 8) switch
    {
        0 => (ContentType.ApplicationData, [.. script.Take(script.Next())]),
        1 => (ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(script.Next() % 2 != 0)),
        2 => (ContentType.Handshake, Message.Of(HandshakeType.NewSessionTicket, [.. script.Take(script.Next())])),
        3 => (ContentType.Handshake, Message.Of((HandshakeType)script.Next(), [.. script.Take(script.Next())])),
        4 => (ContentType.Handshake, [.. Message.Of((HandshakeType)script.Next(), [.. script.Take(script.Next())]), .. Message.Of((HandshakeType)script.Next(), [.. script.Take(script.Next())])]),
        5 => (ContentType.Handshake, [.. script.Take(script.Next())]),
        6 => (ContentType.Alert, [.. script.Take(script.Next() % 4)]),
        _ => ((ContentType)script.Next(), [.. script.Take(script.Next())]),
    };

    // What is kept for later can be used later.
    private static void CheckTicket(AfterHandshake end)
    {
        if (end.Ticket is { } ticket)
        {
            using ClientSession? session = ClientSession.TryImport(ticket);
            BrokenPromiseException.ThrowUnless(session is not null, "a session that is kept can be read");
        }
    }
}
