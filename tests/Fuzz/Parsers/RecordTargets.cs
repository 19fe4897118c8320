using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Parsers;

/// <summary>Records, and the messages in them.</summary>
internal static class RecordTargets
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, CipherSuite.MaxHashLength).Select(i => (byte)i)];

    public static IEnumerable<Target> All { get; } =
    [
        new(nameof(RecordHeader), ReadHeader) { MaxLength = 512 },
        new(nameof(RecordOpener), Open) { MaxLength = RecordHeader.MaxCiphertext + 512 },
        new(nameof(HandshakeMessageBuffer), ReadMessages),
        new(nameof(PostHandshakeReader), ReadPostHandshake),
    ];

    private static void ReadHeader(ReadOnlySpan<byte> input)
    {
        try
        {
            RecordHeader.CheckFraming(input);
        }
        catch (ArgumentException)
        {
            // The caller has to bring whole records.
            if (input.Length < RecordHeader.Size)
            {
                return;
            }
        }

        RecordHeader header = RecordHeader.Read(input);
        BrokenPromiseException.ThrowUnless(header.Length <= RecordHeader.MaxCiphertext, "a record is no longer than the limit");
    }

    // The first byte chooses a suite and what is done to the content; the others are the content.
    private static void Open(ReadOnlySpan<byte> input)
    {
        byte choice = Message.TakeChoice(ref input);
        CipherSuite suite = CipherSuite.All[choice % CipherSuite.All.Length];
        using RecordKeys keys = KeysOf(suite);
        using var opener = new RecordOpener(keys);
        if (choice >= 128)
        {
            // As it comes from the network: of some length and some type, and sealed by nobody.
            byte[] record = [.. input, .. new byte[Math.Max(0, RecordHeader.Size - input.Length)]];
            record = record[..Math.Min(record.Length, RecordHeader.Size + RecordHeader.MaxCiphertext)];
            RecordHeader.Write(record, (ContentType)record[0], record.Length - RecordHeader.Size);
            opener.Open(record, out _);
            throw new BrokenPromiseException("A record that nobody has sealed was opened.");
        }

        using var forge = new Forge(keys);
        byte[] sealed1 = forge.SealInner(ContentType.ApplicationData, input);
        ReadOnlySpan<byte> content = opener.Open(sealed1, out ContentType type);
        BrokenPromiseException.ThrowUnless(content.Length <= RecordHeader.MaxPlaintext, "content is no longer than the limit");
        if (suite.IsTls13)
        {
            int last = input.LastIndexOfAnyExcept((byte)0);
            BrokenPromiseException.ThrowUnless((byte)type == input[last] && content.SequenceEqual(input[..last]), "the content is what stands before type and padding");
        }
        else
        {
            BrokenPromiseException.ThrowUnless(type == ContentType.ApplicationData && content.SequenceEqual(input), "the content is what was sealed");
        }
    }

    // The first byte says how the rest is cut. However that is, the messages are the same.
    private static void ReadMessages(ReadOnlySpan<byte> input)
    {
        const int Limit = 600;
        int size = Math.Max(1, (int)Message.TakeChoice(ref input));
        using var whole = new HandshakeMessageBuffer(Limit);
        using var cut = new HandshakeMessageBuffer(Limit);
        whole.Append(input);
        while (TryRead(whole, out HandshakeType type, out ReadOnlySpan<byte> message))
        {
            ReadOnlySpan<byte> same;
            HandshakeType sameType;
            while (!TryRead(cut, out sameType, out same))
            {
                int count = Math.Min(size, input.Length);
                BrokenPromiseException.ThrowUnless(count > 0, "a message comes out when all of it is in");
                cut.Append(input[..count]);
                input = input[count..];
            }

            BrokenPromiseException.ThrowUnless(type == sameType && message.SequenceEqual(same), "fragments make the same messages");
            BrokenPromiseException.ThrowUnless(message.Length <= Limit + 4, "a message is no longer than the limit");
        }
    }

    // A message over the limit ends it.
    private static bool TryRead(HandshakeMessageBuffer buffer, out HandshakeType type, out ReadOnlySpan<byte> message)
    {
        try
        {
            return buffer.TryRead(out type, out message);
        }
        catch (TlsAlertException e) when (e.Description == AlertDescription.IllegalParameter)
        {
            type = default;
            message = default;
            return false;
        }
    }

    private static void ReadPostHandshake(ReadOnlySpan<byte> input)
    {
        byte choice = Message.TakeChoice(ref input);
        using TlsSession session = CreateSession(isTls13: (choice & 1) != 0, isServer: (choice & 2) != 0);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        int size = 1 + (choice >> 2);
        while (!input.IsEmpty)
        {
            reader.Append(input[..Math.Min(size, input.Length)]);
            input = input[Math.Min(size, input.Length)..];
            while (reader.TryRead(out PostHandshakeMessage message))
            {
                reader.Ticket?.Dispose();
                BrokenPromiseException.ThrowUnless(
                    message is not (PostHandshakeMessage.KeyUpdate or PostHandshakeMessage.KeyUpdateRequested) || (session.CanUpdateKeys && !reader.IsInsideMessage),
                    "a KeyUpdate ends its record, and there is none in TLS 1.2");
            }
        }
    }

    private static TlsSession CreateSession(bool isTls13, bool isServer)
    {
        CipherSuite suite = Array.Find(CipherSuite.All, suite => suite.IsTls13 == isTls13)!;
        var template = new Handshake.Resumption.SessionTemplate("localhost", DateTimeOffset.UnixEpoch, [[0x30, 0]], FixedClock.Instance);
        byte[] secret = Secret[..suite.HashLength];
        byte[] master = Secret[..Prf.MasterSecretLength];
        if (!isTls13)
        {
            return new TlsSession12(suite, new SecretBytes(master), new TrafficKeys12(suite, master, new byte[64]), new byte[64]) { IsServer = isServer, SendSequence = 1, ReceiveSequence = 1, Template = template };
        }

        var session = new TlsSession13(suite) { IsServer = isServer, Template = template };
        secret.CopyTo(session.SendSecret);
        secret.CopyTo(session.ReceiveSecret);
        secret.CopyTo(session.ExporterSecret);
        secret.CopyTo(session.ResumptionSecret);
        return session;
    }

    private static RecordKeys KeysOf(CipherSuite suite) => suite.IsTls13
        ? new RecordKeys(suite, Secret.AsSpan(0, suite.HashLength))
        : new RecordKeys(suite, Secret.AsSpan(0, suite.KeyLength), Secret.AsSpan(0, suite.IvLength), sequence: 0);
}
