using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Seeds;

/// <summary>Messages of real handshakes, of all suites, groups, keys and features, and the scripts that made them.</summary>
internal static class HandshakeSeeds
{
    private const int Credentials = 5;
    private const int Groups = 8;
    private const int Features = 16;
    private const int ScenarioLength = 7;

    public static IEnumerable<(string Target, byte[] Input)> All() =>
        ((bool[])[true, false]).SelectMany(isTls13 => Scripts().SelectMany(script => Of(script, isTls13)));

    // As Scenario reads them: credential, suite, groups, features (two bytes), record size limit, key updates.
    private static IEnumerable<byte[]> Scripts()
    {
        for (byte credential = 0; credential < Credentials; credential++)
        {
            yield return [credential, 0, 0, 0, 3];
        }

        for (byte suite = 0; suite < 6; suite++)
        {
            yield return [0, suite, 0, 0, 4, 0, 1];
            yield return [1, suite, 0, 0, 12];
        }

        for (byte groups = 0; groups < Groups; groups++)
        {
            yield return [0, 0, groups];
            yield return [0, 1, groups, 0, 0b1111];
        }

        for (int feature = 0; feature < Features; feature++)
        {
            yield return [0, 0, 1, (byte)((1 << feature) >> 8), (byte)(1 << feature), 9];
        }

        yield return [0, 0, 0, 0b0011_0111, 0b0011_0111, 1];
        yield return [1, 0, 0, 0b0100_1110, 0b0001_1011, 200, 3];
    }

    private static IEnumerable<(string Target, byte[] Input)> Of(byte[] bytes, bool isTls13)
    {
        yield return (isTls13 ? "Server13" : "Server12", bytes);
        yield return (isTls13 ? "Client13" : "Client12", bytes);
        var script = new Script(bytes);
        var scenario = new Scenario(script, isTls13);
        using ClientSession? session = Sessions.For(scenario);
        using var exchange = new Exchange(scenario, script: null, attacksServer: true, session);
        exchange.Run();
        foreach (byte[] message in HandshakeStream.Split([.. exchange.Client.Sent.Transcript(), .. exchange.Server.Sent.Transcript(), .. exchange.Server.SentAfter.Transcript()]))
        {
            foreach ((string target, byte[] input) in Of((HandshakeType)message[0], message[4..], isTls13))
            {
                yield return (target, input);
            }
        }

        yield return (nameof(HandshakeMessageBuffer), [100, .. exchange.Server.Sent.Transcript().Take(1000)]);
        string after = isTls13 ? "After13" : "After12";
        foreach (byte role in (byte[])[0, 1])
        {
            byte[] beginning = [.. bytes, .. new byte[ScenarioLength - bytes.Length], role];
            yield return (after, [.. beginning, 0, 3, 1, 2, 3, 6, 2, 1, 0]);
            yield return (after, [.. beginning, 1, 0, 1, 1, 3, 0, 0, 5, 2, 24, 0, 5, 3, 0, 1, 1]);
            yield return (after, [.. beginning, .. exchange.Server.SentAfter.Transcript().Chunk(200).SelectMany(part => (byte[])[5, (byte)part.Length, .. part])]);
        }

        yield return (nameof(PostHandshakeReader), [63 << 2 | 1, .. exchange.Server.SentAfter.Transcript()]);
        if (exchange.Client.After?.Ticket is { } ticket)
        {
            yield return (nameof(ClientSession), ticket);
            using ClientSession resumable = ClientSession.TryImport(ticket)!;
            using var writer = new WireWriter();
            resumable.State.Write(writer);
            yield return (nameof(Handshake.Resumption.SessionState), writer.WrittenSpan.ToArray());
            yield return (nameof(TicketKeyRing), [0, .. writer.WrittenSpan]);
            yield return (nameof(TicketKeyRing), [1, .. resumable.Ticket]);
        }
    }

    private static IEnumerable<(string Target, byte[] Input)> Of(HandshakeType type, byte[] body, bool isTls13) => type switch
    {
        HandshakeType.ClientHello => [(nameof(ClientHello), body), .. PartsOf(ClientHello.Read(Parsers.Message.Of(type, body)))],
        HandshakeType.ServerHello => [(nameof(ServerHello), body), .. PartsOf(ServerHello.Read(Parsers.Message.Of(type, body)))],
        HandshakeType.EncryptedExtensions => [(nameof(EncryptedExtensions), [3, .. body])],
        HandshakeType.Certificate when isTls13 => [(nameof(CertificateMessage), [1, .. body])],
        HandshakeType.Certificate => [("CertificateMessage12", body)],
        HandshakeType.CertificateStatus => [("CertificateStatus12", body)],
        HandshakeType.CertificateRequest => [(isTls13 ? nameof(ClientCertificateRequest) : "ClientCertificateRequest12", body)],
        HandshakeType.CertificateVerify => [(nameof(CertificateVerify), body)],
        HandshakeType.ServerKeyExchange => [(nameof(ServerKeyExchange), body)],
        HandshakeType.ClientKeyExchange => [(nameof(ClientKeyExchange), body)],
        HandshakeType.NewSessionTicket => [(isTls13 ? nameof(NewSessionTicket) : "NewSessionTicket12", body)],
        _ => [],
    };

    private static List<(string Target, byte[] Input)> PartsOf(ClientHello hello)
    {
        var parts = new List<(string, byte[])> { (nameof(OfferedPsks), hello.PreSharedKeys.ToArray()) };
        if (hello.HasProtocols)
        {
            parts.Add((nameof(ProtocolNameList), [(byte)(hello.Protocols.Length >> 8), (byte)hello.Protocols.Length, .. hello.Protocols]));
        }

        var shares = new WireReader(hello.KeyShares);
        while (!shares.IsEmpty)
        {
            KeyShareEntry entry = KeyShareEntry.Read(ref shares);
            parts.Add(("KeyShare", [(byte)Array.IndexOf(KeyExchange.Groups, entry.Group), .. entry.KeyExchange]));
        }

        return parts;
    }

    private static IEnumerable<(string Target, byte[] Input)> PartsOf(ServerHello hello)
    {
        int groups = KeyExchange.Groups.Length;
        int group = Array.IndexOf(KeyExchange.Groups, hello.Extensions.Group);

        // The target takes its choice modulo the number of groups; a client's role begins at 128.
        int choice = (((128 + groups - 1) / groups) * groups) + group;
        return hello.Extensions.KeyExchange.IsEmpty ? [] : [("KeyShare", [(byte)choice, .. hello.Extensions.KeyExchange])];
    }
}
