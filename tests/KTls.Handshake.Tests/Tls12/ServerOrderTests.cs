using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>The order of what a client of TLS 1.2 sends (RFC 5246 §7.3): anything else ends the handshake.</summary>
public sealed class ServerOrderTests
{
    private static readonly byte[] NoCertificate = ScriptedClient12.Certificate();

    // The server's states, and the message that each waits for; null: change_cipher_spec.
    private static readonly Dictionary<string, HandshakeType?> Expected = new()
    {
        ["key exchange"] = HandshakeType.ClientKeyExchange,
        ["certificate"] = HandshakeType.Certificate,
        ["key exchange after no certificate"] = HandshakeType.ClientKeyExchange,
        ["key exchange after a certificate"] = HandshakeType.ClientKeyExchange,
        ["certificate verify"] = HandshakeType.CertificateVerify,
        ["change"] = null,
        ["change after certificate verify"] = null,
        ["change of a resumed session"] = null,
    };

    public static TheoryData<string> States => [.. Expected.Keys];

    [Fact]
    public void A_handshake_in_the_right_order_is_complete()
    {
        using ScriptedClient12 client = ScriptedClient12.BeforeChangeCipherSpec();
        client.SendChangeCipherSpec();
        client.SendFinished();
        client.ReadEnd();
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
        using TlsSession session = client.Server.TakeSession();
        using RecordKeys keys = session.GetSendKeys();
        Assert.Equal(1UL, keys.Sequence);
    }

    [Theory]
    [MemberData(nameof(States))]
    public void Every_other_message_is_unexpected(string state)
    {
        foreach (int type in Enumerable.Range(0, 256).Where(type => (HandshakeType)type != Expected[state]))
        {
            using ScriptedClient12 client = At(state);
            if (state == "change of a resumed session")
            {
                // The server has changed its keys: its alert is sealed.
                TlsAlertException e = Assert.Throws<TlsAlertException>(() => client.SendMessages(Tls.Message((HandshakeType)type, new byte[12])));
                Assert.Equal(AlertDescription.UnexpectedMessage, e.Description);
            }
            else
            {
                client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendMessages(Tls.Message((HandshakeType)type, new byte[12])));
            }
        }
    }

    /// <summary>CVE-2014-0224: keys never change before they are agreed on.</summary>
    [Theory]
    [MemberData(nameof(States))]
    public void A_change_cipher_spec_comes_where_it_is_due_and_nowhere_else(string state)
    {
        using ScriptedClient12 client = At(state);
        if (Expected[state] is null)
        {
            client.SendChangeCipherSpec();
            Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
        }
        else
        {
            client.AssertAlert(AlertDescription.UnexpectedMessage, client.SendChangeCipherSpec);
        }
    }

    [Theory]
    [MemberData(nameof(States))]
    public void Application_data_is_unexpected(string state)
    {
        using ScriptedClient12 client = At(state);
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => client.SendPlain(ContentType.ApplicationData, new byte[64]));
        Assert.Equal(AlertDescription.UnexpectedMessage, e.Description);
    }

    [Fact]
    public void A_second_change_cipher_spec_is_unexpected_in_the_clear_or_sealed()
    {
        using ScriptedClient12 plain = AfterChange();
        plain.AssertAlert(AlertDescription.BadRecordMac, plain.SendChangeCipherSpec);
        using ScriptedClient12 isSealed = AfterChange();
        isSealed.AssertAlert(AlertDescription.UnexpectedMessage, () => isSealed.SendSealed(ContentType.ChangeCipherSpec, [1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("02")]
    [InlineData("0101")]
    public void A_malformed_change_cipher_spec_is_unexpected(string content)
    {
        using ScriptedClient12 client = ScriptedClient12.BeforeChangeCipherSpec();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ChangeCipherSpec, Convert.FromHexString(content)));
    }

    /// <summary>A part of a message before the change would be read together with what is sealed after it.</summary>
    [Fact]
    public void No_message_goes_on_across_the_change()
    {
        using var client = new ScriptedClient12();
        client.SendHello();
        client.ReadFlight();
        byte[] keyExchange = client.ClientKeyExchange();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, [.. keyExchange, (byte)HandshakeType.Finished]));

        using ScriptedClient12 other = ScriptedClient12.BeforeChangeCipherSpec();
        other.SendPlain(ContentType.Handshake, [(byte)HandshakeType.Finished, 0]);
        other.AssertAlert(AlertDescription.UnexpectedMessage, other.SendChangeCipherSpec);
    }

    [Fact]
    public void Finished_without_a_change_cipher_spec_is_unexpected()
    {
        using ScriptedClient12 client = ScriptedClient12.BeforeChangeCipherSpec();
        byte[] finished = client.Finished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, finished));
    }

    [Fact]
    public void After_the_change_nothing_in_the_clear_is_taken()
    {
        foreach (ContentType type in new[] { ContentType.Handshake, ContentType.Alert, ContentType.ApplicationData })
        {
            using ScriptedClient12 client = AfterChange();
            byte[] content = type == ContentType.Handshake ? client.Finished() : [1, 90];
            client.AssertAlert(AlertDescription.BadRecordMac, () => client.SendPlain(type, content));
        }
    }

    [Fact]
    public void A_wrong_Finished_ends_in_its_alert()
    {
        using ScriptedClient12 changed = AfterChange();
        byte[] finished = changed.Finished();
        finished[^1] ^= 1;
        changed.AssertAlert(AlertDescription.DecryptError, () => changed.SendSealed(ContentType.Handshake, finished));

        using ScriptedClient12 shorter = AfterChange();
        byte[] cut = Tls.WithBody(shorter.Finished(), body => body[..^1]);
        shorter.AssertAlert(AlertDescription.DecodeError, () => shorter.SendSealed(ContentType.Handshake, cut));

        using ScriptedClient12 longer = AfterChange();
        byte[] grown = Tls.WithBody(longer.Finished(), body => [.. body, 0]);
        longer.AssertAlert(AlertDescription.DecodeError, () => longer.SendSealed(ContentType.Handshake, grown));

        using ScriptedClient12 followed = AfterChange();
        byte[] two = [.. followed.Finished(), 0];
        followed.AssertAlert(AlertDescription.UnexpectedMessage, () => followed.SendSealed(ContentType.Handshake, two));
    }

    [Theory]
    [InlineData("20" + "0000000000000000000000000000000000000000000000000000000000000000", AlertDescription.IllegalParameter)]
    [InlineData("03010203", AlertDescription.IllegalParameter)]
    [InlineData("00", AlertDescription.DecodeError)]
    [InlineData("", AlertDescription.DecodeError)]
    [InlineData("0201", AlertDescription.DecodeError)]
    [InlineData("010203", AlertDescription.DecodeError)]
    public void A_bad_share_ends_in_its_alert(string body, AlertDescription expected)
    {
        using var client = new ScriptedClient12();
        client.SendHello();
        client.ReadFlight();
        client.AssertAlert(expected, () => client.SendMessages(Tls.Message(HandshakeType.ClientKeyExchange, Convert.FromHexString(body))));
    }

    [Fact]
    public void Warnings_are_counted_and_fatal_alerts_are_not_answered()
    {
        byte[] warning = [1, (byte)AlertDescription.NoRenegotiation];
        using ScriptedClient12 client = ScriptedClient12.BeforeChangeCipherSpec();
        for (int i = 0; i < HandshakeLimits.Default.MaxWarnings; i++)
        {
            client.SendPlain(ContentType.Alert, warning);
        }

        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Alert, warning));
        foreach (byte[] alert in new byte[][] { [2, 40], [1, 0], [2, 90] })
        {
            using ScriptedClient12 other = ScriptedClient12.BeforeChangeCipherSpec();
            TlsAlertException e = Assert.Throws<TlsAlertException>(() => other.SendPlain(ContentType.Alert, alert));
            Assert.Equal((alert[1], true), ((byte)e.Description, e.ReceivedFromPeer));
            Assert.Empty(other.TakeOutput());
        }

        using ScriptedClient12 inside = ScriptedClient12.BeforeChangeCipherSpec();
        inside.SendPlain(ContentType.Handshake, [20]);
        inside.AssertAlert(AlertDescription.UnexpectedMessage, () => inside.SendPlain(ContentType.Alert, warning));
    }

    private static ScriptedClient12 AfterChange()
    {
        ScriptedClient12 client = ScriptedClient12.BeforeChangeCipherSpec();
        client.SendChangeCipherSpec();
        return client;
    }

    private static ScriptedClient12 At(string state)
    {
        if (state == "change of a resumed session")
        {
            return Resumed();
        }

        bool asks = state.Contains("certificate", StringComparison.Ordinal);
        var client = new ScriptedClient12(ScriptedClient12.Serve(asks));
        client.SendHello();
        client.ReadFlight();
        switch (state)
        {
            case "key exchange after no certificate":
                client.SendMessages(NoCertificate);
                break;
            case "key exchange after a certificate":
                client.SendMessages(ScriptedClient12.Certificate(TestCertificates.Rsa.Chain));
                break;
            case "certificate verify":
                client.SendMessages(ScriptedClient12.Certificate(TestCertificates.Rsa.Chain));
                client.SendKeyExchange();
                break;
            case "change":
                client.SendKeyExchange();
                break;
            case "change after certificate verify":
                client.SendMessages(ScriptedClient12.Certificate(TestCertificates.Rsa.Chain));
                client.SendKeyExchange();
                client.SendMessages(client.CertificateVerify(TestCertificates.Rsa, SignatureScheme.RsaPssRsaeSha256));
                break;
        }

        return client;
    }

    private static ScriptedClient12 Resumed()
    {
        ServerHandshakeOptions options = ScriptedClient12.Serve(ring: new TicketKeyRing());
        var client = new ScriptedClient12(options);
        client.Hello.Add((int)ExtensionType.SessionTicket, TicketTests.TakeTicket(options, out _));
        client.Hello.SessionId = [1];
        client.SendHello();
        byte[] serverHello = client.TakeOutput()[0];
        Assert.Equal([1, 1], serverHello[(RecordHeader.Size + 38)..(RecordHeader.Size + 40)]);
        return client;
    }
}
