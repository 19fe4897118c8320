using System.Reflection;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>Handshake messages after the handshake (RFC 8446 §4.6), and records under the application keys (§5).</summary>
public sealed class PostHandshakeTests
{
    private static readonly byte[] Ticket = Tls.Message(
        HandshakeType.NewSessionTicket, [0, 0, 14, 16], [1, 2, 3, 4], Tls.Vector8([0]), Tls.Vector16(new byte[100]), Tls.Vector16());

    public static TheoryData<bool, int> ForbiddenTypes()
    {
        var data = new TheoryData<bool, int>();
        foreach (int type in Enumerable.Range(0, 256))
        {
            if (type != (int)HandshakeType.KeyUpdate)
            {
                data.Add(true, type);
                if (type != (int)HandshakeType.NewSessionTicket)
                {
                    data.Add(false, type);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(ForbiddenTypes))]
    public void Other_messages_are_unexpected(bool isServer, int type)
    {
        using TlsSession session = Session(isServer);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        AssertAlert(reader, AlertDescription.UnexpectedMessage, Tls.Message((HandshakeType)type, new byte[8]));
    }

    [Theory]
    [InlineData("00", false)]
    [InlineData("01", true)]
    public void KeyUpdate_has_two_values(string body, bool requested)
    {
        using TlsSession session = Session(isServer: true);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        reader.Append(Tls.Message(HandshakeType.KeyUpdate, Convert.FromHexString(body)));
        Assert.True(reader.TryRead(out PostHandshakeMessage message));
        Assert.Equal(requested ? PostHandshakeMessage.KeyUpdateRequested : PostHandshakeMessage.KeyUpdate, message);
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.IsInsideMessage);
    }

    [Fact]
    public void A_buffer_is_held_only_while_a_message_is_to_come()
    {
        using TlsSession session = Session(isServer: true);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        byte[] update = Tls.Message(HandshakeType.KeyUpdate, [0]);
        for (int i = 0; i < 2; i++)
        {
            reader.Append(update.AsSpan(0, 3));
            Assert.False(reader.TryRead(out _));
            Assert.NotEqual(0, BufferLength(reader));
            reader.Append(update.AsSpan(3));
            Assert.True(reader.TryRead(out _));
            Assert.False(reader.TryRead(out _));
            Assert.Equal(0, BufferLength(reader));
        }
    }

    [Theory]
    [InlineData("02", AlertDescription.IllegalParameter)]
    [InlineData("ff", AlertDescription.IllegalParameter)]
    [InlineData("", AlertDescription.DecodeError)]
    [InlineData("0000", AlertDescription.DecodeError)]
    public void Any_other_KeyUpdate_ends_in_its_alert(string body, AlertDescription expected)
    {
        using TlsSession session = Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        AssertAlert(reader, expected, Tls.Message(HandshakeType.KeyUpdate, Convert.FromHexString(body)));
    }

    [Fact]
    public void KeyUpdate_is_the_end_of_its_record()
    {
        using TlsSession session = Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        AssertAlert(reader, AlertDescription.UnexpectedMessage, [.. Tls.Message(HandshakeType.KeyUpdate, [0]), .. Ticket]);
    }

    [Fact]
    public void Tickets_may_be_cut_anywhere_and_share_a_record_with_a_KeyUpdate_behind_them()
    {
        byte[] content = [.. Ticket, .. Ticket, .. Tls.Message(HandshakeType.KeyUpdate, [1])];
        for (int cut = 1; cut < content.Length; cut++)
        {
            using TlsSession session = Session(isServer: false);
            using PostHandshakeReader reader = session.CreatePostHandshakeReader();
            var seen = new List<PostHandshakeMessage>();
            foreach (byte[] part in new[] { content[..cut], content[cut..] })
            {
                reader.Append(part);
                while (reader.TryRead(out PostHandshakeMessage message))
                {
                    seen.Add(message);
                }
            }

            Assert.Equal([PostHandshakeMessage.NewSessionTicket, PostHandshakeMessage.NewSessionTicket, PostHandshakeMessage.KeyUpdateRequested], seen);
        }
    }

    [Theory]
    [InlineData("04008001")]
    [InlineData("04ffffff")]
    [InlineData("18ffffff")]
    public void A_message_over_the_limit_is_refused_before_it_comes(string header)
    {
        using TlsSession session = Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        AssertAlert(reader, AlertDescription.IllegalParameter, Convert.FromHexString(header));
    }

    [Fact]
    public void An_empty_handshake_record_is_unexpected()
    {
        using TlsSession session = Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        AssertAlert(reader, AlertDescription.UnexpectedMessage, []);
    }

    [Fact]
    public void An_unfinished_message_is_seen()
    {
        using TlsSession session = Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        reader.Append([4]);
        Assert.False(reader.TryRead(out _));
        Assert.True(reader.IsInsideMessage);
    }

    [Theory]
    [InlineData(0, AlertDescription.BadRecordMac)]
    [InlineData(16, AlertDescription.BadRecordMac)]
    [InlineData(17, AlertDescription.BadRecordMac)]
    [InlineData(RecordHeader.MaxCiphertext, AlertDescription.BadRecordMac)]
    [InlineData(RecordHeader.MaxCiphertext + 1, AlertDescription.RecordOverflow)]
    public void A_forged_record_ends_in_its_alert(int length, AlertDescription expected)
    {
        using TlsSession session = Session(isServer: false);
        using RecordKeys keys = session.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => opener.Open(Tls.Record(ContentType.ApplicationData, new byte[length]), out _));
        Assert.Equal(expected, e.Description);
        Assert.Equal(0UL, opener.Sequence);
    }

    [Theory]
    [InlineData(ContentType.Handshake)]
    [InlineData(ContentType.Alert)]
    [InlineData(ContentType.ChangeCipherSpec)]
    public void A_record_in_the_clear_is_unexpected(ContentType type)
    {
        using TlsSession session = Session(isServer: false);
        using RecordKeys keys = session.GetReceiveKeys();
        using var opener = new RecordOpener(keys);
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => opener.Open(Tls.Record(type, [1]), out _));
        Assert.Equal(AlertDescription.UnexpectedMessage, e.Description);
    }

    [Fact]
    public void Content_of_16384_bytes_is_the_most()
    {
        Assert.Equal(RecordHeader.MaxPlaintext, OpenSealed([.. new byte[RecordHeader.MaxPlaintext], 23]).Length);
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => OpenSealed([.. Enumerable.Repeat((byte)1, RecordHeader.MaxPlaintext + 1), 23]));
        Assert.Equal(AlertDescription.RecordOverflow, e.Description);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(RecordHeader.MaxPlaintext - 3)]
    public void Padding_is_taken_off(int padding) => Assert.Equal([1, 2, 3], OpenSealed([1, 2, 3, 23, .. new byte[padding]]));

    /// <summary>Seals an inner plaintext of the test's own making: content, type and padding (RFC 8446 §5.2, §5.4).</summary>
    internal static byte[] OpenSealed(byte[] inner)
    {
        using TlsSession session = Session(isServer: false);
        using RecordKeys keys = session.GetReceiveKeys();
        using var aead = Crypto.Aead.Create(keys.Suite.Aead, keys.Key, isSealing: true);
        byte[] record = Tls.Record(ContentType.ApplicationData, [.. inner, .. new byte[16]]);
        aead.Encrypt(keys.Iv, record.AsSpan(RecordHeader.Size, inner.Length), record.AsSpan(RecordHeader.Size + inner.Length), record.AsSpan(0, RecordHeader.Size));
        using var opener = new RecordOpener(keys);
        return opener.Open(record, out _).ToArray();
    }

    internal static TlsSession Session(bool isServer)
    {
        Crypto.CipherSuite suite = Crypto.CipherSuite.All[0];
        var session = new TlsSession13(suite) { IsServer = isServer };
        session.SendSecret.Clear();
        session.ReceiveSecret.Fill(1);
        session.ExporterSecret.Clear();
        return session;
    }

    private static int BufferLength(PostHandshakeReader reader)
    {
        object messages = typeof(PostHandshakeReader).GetField("_messages", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(reader)!;
        return ((byte[])messages.GetType().GetField("_buffer", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(messages)!).Length;
    }

    private static void AssertAlert(PostHandshakeReader reader, AlertDescription expected, byte[] content)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(() =>
        {
            reader.Append(content);
            while (reader.TryRead(out _))
            {
            }
        });
        Assert.Equal(expected, e.Description);
        Assert.False(e.ReceivedFromPeer);
    }
}
