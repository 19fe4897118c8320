using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Parsers;

/// <summary>Sessions and tickets, which come back from stores and clients.</summary>
internal static class ResumptionTargets
{
    private static readonly byte[] KeyBytes = [.. Enumerable.Range(0, TicketKey.Size).Select(i => (byte)i)];
    private static readonly TicketKeyRing Ring = new([new TicketKey(KeyBytes)]);

    public static IEnumerable<Target> All { get; } =
    [
        new(nameof(ClientSession), Import),
        new(nameof(SessionState), ReadState),
        new(nameof(TicketKeyRing), OpenTicket),
    ];

    private static void Import(ReadOnlySpan<byte> input)
    {
        using ClientSession? session = ClientSession.TryImport(input);
        if (session is null)
        {
            return;
        }

        byte[] exported = session.Export();
        using ClientSession? again = ClientSession.TryImport(exported);
        BrokenPromiseException.ThrowUnless(again is not null && again.Export().AsSpan().SequenceEqual(exported), "a session is imported as it was exported");
        _ = session.ExpiresAt;
        session.ObfuscatedAge(FixedClock.Instance.GetUtcNow());
        using var client = new ClientHandshake(new ClientHandshakeOptions
        {
            ServerName = session.ServerName,
            Protocols = session.Protocol,
            Groups = [NamedGroup.X25519],
            Session = session,
            Clock = FixedClock.Instance,
        });
    }

    private static void ReadState(ReadOnlySpan<byte> input)
    {
        var reader = new WireReader(input);
        using SessionState? state = SessionState.Read(ref reader);
        if (state is not null)
        {
            using var writer = new WireWriter();
            state.Write(writer);
            var again = new WireReader(writer.WrittenSpan);
            using SessionState? same = SessionState.Read(ref again);
            BrokenPromiseException.ThrowUnless(
                same is not null && again.IsEmpty && same.Secret.Span.SequenceEqual(state.Secret.Span) && same.PeerChain.Length == state.PeerChain.Length,
                "a state is read as it was written");
        }
    }

    // The first byte says whether the input is a ticket, one that begins with the name of the ring's key, or what is in one.
    private static void OpenTicket(ReadOnlySpan<byte> input)
    {
        byte choice = Message.TakeChoice(ref input);
        if (choice % 3 != 0)
        {
            byte[] ticket = choice % 3 == 1 ? input.ToArray() : [.. KeyBytes[..TicketKey.NameLength], .. input];
            BrokenPromiseException.ThrowUnless(Ring.TryOpen(ticket) is null, "what the ring has not sealed is no ticket");
            return;
        }

        byte[] good = Ring.Seal(input);
        BrokenPromiseException.ThrowUnless(Ring.TryOpen(good) is { } plain && plain.AsSpan().SequenceEqual(input), "a ticket has in it what was sealed");
        good[choice % good.Length] ^= 1;
        BrokenPromiseException.ThrowUnless(Ring.TryOpen(good) is null, "a changed ticket is none");
    }
}
