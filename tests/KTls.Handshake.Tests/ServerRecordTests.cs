using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>What a server does with records and with the order of messages (RFC 8446 §4, §5, §6).</summary>
public sealed class ServerRecordTests
{
    public static TheoryData<string, string, AlertDescription> FirstRecords => new()
    {
        { "an HTTP request", "474554202f20485454502f312e310d0a0d0a", AlertDescription.UnexpectedMessage },
        { "an SSH banner", "5353482d322e302d4f70656e5353480d0a", AlertDescription.UnexpectedMessage },
        { "an SSL 2.0 hello", "802e0103010015000000100100800300800700c0", AlertDescription.UnexpectedMessage },
        { "content type 0", "0003030000", AlertDescription.UnexpectedMessage },
        { "content type 24", "1803030000", AlertDescription.UnexpectedMessage },
        { "another major version", "160400000100", AlertDescription.ProtocolVersion },
        { "application data", "170303000100", AlertDescription.UnexpectedMessage },
        { "change_cipher_spec", "140303000101", AlertDescription.UnexpectedMessage },
        { "an empty handshake record", "1603030000", AlertDescription.UnexpectedMessage },
        { "an empty alert", "1503030000", AlertDescription.DecodeError },
        { "an alert of one byte", "150303000102", AlertDescription.DecodeError },
        { "an alert of three bytes", "1503030003022800", AlertDescription.DecodeError },
        { "two alerts in one record", "150303000402280228", AlertDescription.DecodeError },
        { "a message over the limit", "160303000401010001", AlertDescription.IllegalParameter },
        { "a message of 2^24 - 1 bytes", "160303000401ffffff", AlertDescription.IllegalParameter },
    };

    public static TheoryData<int> AllMessageTypesButClientHello => [.. Enumerable.Range(0, 256).Where(type => type != (int)HandshakeType.ClientHello)];

    public static TheoryData<int> AllMessageTypesButFinished => [.. Enumerable.Range(0, 256).Where(type => type != (int)HandshakeType.Finished)];

    [Theory]
    [MemberData(nameof(FirstRecords))]
    public void What_is_not_a_ClientHello_ends_in_its_alert(string name, string record, AlertDescription expected)
    {
        Assert.NotEmpty(name);
        using var client = new ScriptedClient();
        byte[] bytes = Convert.FromHexString(record);
        if (expected is AlertDescription.DecodeError or AlertDescription.IllegalParameter)
        {
            // These must be whole records, else the caller is at fault.
            bytes = Tls.Record((ContentType)bytes[0], bytes[RecordHeader.Size..]);
        }

        client.AssertAlert(expected, () => client.Send(bytes));
    }

    [Theory]
    [InlineData(ContentType.Handshake, RecordHeader.MaxPlaintext + 1)]
    [InlineData(ContentType.Alert, RecordHeader.MaxPlaintext + 1)]
    [InlineData(ContentType.ApplicationData, RecordHeader.MaxCiphertext + 1)]
    [InlineData(ContentType.ApplicationData, 0xffff)]
    public void A_record_over_the_limit_is_record_overflow(ContentType type, int length)
    {
        using var client = new ScriptedClient();
        client.AssertAlert(AlertDescription.RecordOverflow, () => client.SendPlain(type, new byte[length]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(1000)]
    public void Bytes_that_are_not_one_record_are_the_callers_fault(int difference)
    {
        using var client = new ScriptedClient();
        byte[] record = Tls.Record(ContentType.Handshake, client.Hello.ToMessage());
        Array.Resize(ref record, record.Length + difference);
        Assert.Throws<ArgumentException>(() => client.Send(record));
    }

    [Theory]
    [MemberData(nameof(AllMessageTypesButClientHello))]
    public void Only_a_ClientHello_comes_first(int type)
    {
        using var client = new ScriptedClient();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, Tls.Message((HandshakeType)type, new byte[32])));
    }

    [Theory]
    [MemberData(nameof(AllMessageTypesButFinished))]
    public void Only_Finished_follows_the_servers_flight(int type)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(Tls.Message((HandshakeType)type, new byte[32])));
    }

    [Fact]
    public void The_script_is_right_and_completes_a_handshake()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        Assert.Equal([HandshakeType.EncryptedExtensions, HandshakeType.Certificate, HandshakeType.CertificateVerify, HandshakeType.Finished], client.ServerFlight.Select(message => (HandshakeType)message[0]));
        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    [Fact]
    public void A_ClientHello_may_be_cut_anywhere()
    {
        using var whole = new ScriptedClient();
        int length = whole.Hello.ToMessage().Length;
        for (int cut = 1; cut < length; cut++)
        {
            using var client = new ScriptedClient();
            byte[] message = client.Hello.ToMessage();
            client.SendPlain(ContentType.Handshake, message[..cut]);
            Assert.Null(client.Server.ClientHello);
            client.SendPlain(ContentType.Handshake, message[cut..]);
            Assert.NotNull(client.Server.ClientHello);
        }
    }

    [Fact]
    public void Messages_may_come_byte_by_byte()
    {
        using var client = new ScriptedClient();
        byte[] hello = client.Hello.ToMessage();
        foreach (byte part in hello[..^1])
        {
            client.SendPlain(ContentType.Handshake, [part]);
        }

        Assert.Null(client.Server.ClientHello);
        client.SendPlain(ContentType.Handshake, [hello[^1]]);
        Assert.NotNull(client.Server.ClientHello);
    }

    [Fact]
    public void Finished_may_come_byte_by_byte()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        foreach (byte part in client.Finished())
        {
            Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
            client.SendSealed([part]);
        }

        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Nothing_may_follow_a_ClientHello_in_its_record(int count)
    {
        using var client = new ScriptedClient();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, [.. client.Hello.ToMessage(), .. new byte[count]]));
    }

    [Fact]
    public void Nothing_may_follow_a_ClientHello_that_is_answered_by_a_retry()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, [.. client.Hello.ToMessage(), 1]));
    }

    [Fact]
    public void Nothing_may_follow_the_second_ClientHello_in_its_record()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.GetRetried();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, [.. client.Hello.ToMessage(), 20]));
    }

    [Fact]
    public void Nothing_may_follow_Finished_in_its_record()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(client.Finished(), [(byte)HandshakeType.KeyUpdate]));
    }

    [Fact]
    public void Every_byte_of_Finished_counts()
    {
        for (int i = 4; i < 36; i++)
        {
            using ScriptedClient client = ScriptedClient.BeforeFinished();
            byte[] finished = client.Finished();
            finished[i] ^= 1;
            client.AssertAlert(AlertDescription.DecryptError, () => client.SendSealed(finished));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(48)]
    public void A_Finished_of_the_wrong_length_is_a_decode_error(int length)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.DecodeError, () => client.SendSealed(Tls.Message(HandshakeType.Finished, new byte[length])));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("02")]
    [InlineData("0101")]
    public void A_change_cipher_spec_is_the_one_byte_1(string content)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ChangeCipherSpec, Convert.FromHexString(content)));
    }

    [Fact]
    public void A_change_cipher_spec_before_Finished_is_dropped()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.SendPlain(ContentType.ChangeCipherSpec, [1]);
        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    [Fact]
    public void A_change_cipher_spec_inside_a_message_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.SendSealed(client.Finished()[..10]);
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ChangeCipherSpec, [1]));
    }

    [Fact]
    public void A_change_cipher_spec_inside_the_first_ClientHello_is_unexpected()
    {
        using var client = new ScriptedClient();
        client.SendPlain(ContentType.Handshake, client.Hello.ToMessage()[..10]);
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ChangeCipherSpec, [1]));
    }

    [Fact]
    public void A_change_cipher_spec_is_never_encrypted()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(ContentType.ChangeCipherSpec, [1]));
    }

    [Theory]
    [InlineData(ContentType.Invalid)]
    [InlineData(ContentType.ApplicationData)]
    [InlineData((ContentType)24)]
    [InlineData((ContentType)255)]
    public void No_other_content_comes_before_Finished(ContentType type)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(type, [1, 2, 3]));
    }

    [Fact]
    public void A_handshake_message_in_the_clear_after_the_keys_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, client.Finished()));
    }

    [Fact]
    public void An_empty_sealed_handshake_record_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(ContentType.Handshake, []));
    }

    [Fact]
    public void A_sealed_record_of_nothing_but_padding_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(ContentType.Invalid, new byte[100]));
    }

    [Fact]
    public void A_record_that_was_changed_is_bad_record_mac()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        byte[] record = client.Seal(ContentType.Handshake, client.Finished());
        record[^1] ^= 1;
        client.AssertAlert(AlertDescription.BadRecordMac, () => client.Send(record));
    }

    [Fact]
    public void A_record_that_comes_twice_is_bad_record_mac()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        byte[] record = client.Seal(ContentType.Handshake, client.Finished()[..10]);
        client.Send(record);
        client.AssertAlert(AlertDescription.BadRecordMac, () => client.Send(record));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    public void A_sealed_record_too_short_for_its_tag_is_bad_record_mac(int length)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.BadRecordMac, () => client.SendPlain(ContentType.ApplicationData, new byte[length]));
    }

    [Theory]
    [InlineData("0228", AlertDescription.HandshakeFailure)]
    [InlineData("0128", AlertDescription.HandshakeFailure)]
    [InlineData("0950", AlertDescription.InternalError)]
    [InlineData("0100", AlertDescription.CloseNotify)]
    [InlineData("02ff", (AlertDescription)255)]
    [InlineData("0101", (AlertDescription)1)]
    public void An_alert_of_the_client_ends_the_handshake_and_is_not_answered(string content, AlertDescription expected)
    {
        byte[] alert = Convert.FromHexString(content);
        if (!TlsAlert.IsWarning(alert))
        {
            // Before the version is known, a warning is one that TLS 1.2 goes on after.
            using var early = new ScriptedClient();
            AssertEndedByPeer(early, expected, () => early.SendPlain(ContentType.Alert, alert));
        }

        // A client without keys of its own yet sends it in the clear.
        using ScriptedClient clear = ScriptedClient.BeforeFinished();
        AssertEndedByPeer(clear, expected, () => clear.SendPlain(ContentType.Alert, alert));

        using ScriptedClient encrypted = ScriptedClient.BeforeFinished();
        AssertEndedByPeer(encrypted, expected, () => encrypted.SendSealed(ContentType.Alert, alert));
    }

    [Fact]
    public void An_alert_in_the_clear_after_a_sealed_record_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.SendSealed(client.Finished()[..10]);
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Alert, [2, 40]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02")]
    [InlineData("022800")]
    public void A_sealed_alert_is_of_two_bytes(string content)
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.AssertAlert(AlertDescription.DecodeError, () => client.SendSealed(ContentType.Alert, Convert.FromHexString(content)));
    }

    [Fact]
    public void Early_data_is_skipped_up_to_a_limit()
    {
        using var client = new ScriptedClient();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.SendHello();
        client.ReadFlight();
        for (int sent = 0; sent < 60_000; sent += 10_000)
        {
            client.SendPlain(ContentType.ApplicationData, new byte[10_000]);
        }

        client.SendSealed(client.Finished());
        Assert.Equal(HandshakeStatus.Complete, client.Server.Status);
    }

    [Fact]
    public void Early_data_after_a_retry_is_skipped_until_the_second_ClientHello()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.GetRetried();
        client.Hello.Remove(ExtensionType.EarlyData);
        client.SendPlain(ContentType.ApplicationData, new byte[1000]);
        client.SendHello();
        client.ReadFlight();
        client.AssertAlert(AlertDescription.BadRecordMac, () => client.SendPlain(ContentType.ApplicationData, new byte[1000]));
    }

    [Fact]
    public void Nobody_skips_early_data_that_was_not_announced()
    {
        using ScriptedClient direct = ScriptedClient.BeforeFinished();
        direct.AssertAlert(AlertDescription.BadRecordMac, () => direct.SendPlain(ContentType.ApplicationData, new byte[1000]));

        using ScriptedClient retried = ScriptedClient.ToBeRetried();
        retried.GetRetried();
        retried.AssertAlert(AlertDescription.UnexpectedMessage, () => retried.SendPlain(ContentType.ApplicationData, new byte[1000]));
    }

    /// <summary>Short records, be they long enough for a tag or not, cost us more than the client.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(17)]
    [InlineData(251)]
    public void Records_of_early_data_are_not_counted_by_their_bytes_alone(int length)
    {
        using var client = new ScriptedClient();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.SendHello();
        client.ReadFlight();
        for (int i = 0; i < 256; i++)
        {
            client.SendPlain(ContentType.ApplicationData, new byte[length]);
        }

        client.AssertAlert(AlertDescription.BadRecordMac, () => client.SendPlain(ContentType.ApplicationData, new byte[length]));
    }

    [Fact]
    public void Early_data_after_a_record_that_opens_is_bad_record_mac()
    {
        using var client = new ScriptedClient();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.SendHello();
        client.ReadFlight();
        client.SendSealed(client.Finished()[..10]);
        client.AssertAlert(AlertDescription.BadRecordMac, () => client.SendPlain(ContentType.ApplicationData, new byte[1000]));
    }

    /// <summary>A peer that never comes to the point is cut off after so many bytes.</summary>
    [Theory]
    [InlineData("change_cipher_spec", 200, AlertDescription.UnexpectedMessage)]
    [InlineData("early data", 70_000, AlertDescription.BadRecordMac)]
    [InlineData("empty early data", 70_000, AlertDescription.BadRecordMac)]
    [InlineData("early data after a retry", 70_000, AlertDescription.UnexpectedMessage)]
    [InlineData("a ClientHello without end", 420_000, AlertDescription.DecodeError)]
    public void A_flood_ends(string flood, int limit, AlertDescription expected)
    {
        using ScriptedClient client = flood == "early data after a retry" ? ScriptedClient.ToBeRetried() : new ScriptedClient();
        byte[] record = flood switch
        {
            "change_cipher_spec" => Tls.Record(ContentType.ChangeCipherSpec, [1]),
            "empty early data" => Tls.Record(ContentType.ApplicationData, []),
            "a ClientHello without end" => Tls.Record(ContentType.Handshake, [0]),
            _ => Tls.Record(ContentType.ApplicationData, new byte[500]),
        };
        if (flood == "a ClientHello without end")
        {
            client.SendPlain(ContentType.Handshake, [1, 1, 0, 0]);
        }
        else
        {
            client.Hello.Add((int)ExtensionType.EarlyData);
            client.SendHello();
            client.TakeOutput();
        }

        TlsAlertException? end = null;
        int sent = 0;
        while (end is null && sent <= limit)
        {
            sent += record.Length;
            end = (TlsAlertException?)Record.Exception(() => client.Send(record));
        }

        Assert.Equal(expected, end?.Description);
    }

    [Fact]
    public void A_flood_of_warnings_ends()
    {
        using var client = new ScriptedClient();
        int count = 0;
        client.AssertAlert(AlertDescription.UnexpectedMessage, () =>
        {
            for (; count < 100; count++)
            {
                client.SendPlain(ContentType.Alert, [1, 90]);
            }
        });
        Assert.InRange(count, 1, 10);
    }

    [Fact]
    public void A_failed_handshake_takes_nothing_any_more()
    {
        using var client = new ScriptedClient();
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ChangeCipherSpec, [1]));
        Assert.Throws<InvalidOperationException>(client.SendHello);
        Assert.Throws<InvalidOperationException>(() => client.Server.Accept(client.Options));
        Assert.Throws<InvalidOperationException>(client.Server.TakeSession);
        client.Server.Fail(AlertDescription.InternalError);
        Assert.True(client.Server.Output.IsEmpty);
    }

    private static void AssertEndedByPeer(ScriptedClient client, AlertDescription expected, Action step)
    {
        client.Server.OutputSent();
        TlsAlertException e = Assert.Throws<TlsAlertException>(step);
        Assert.True(e.ReceivedFromPeer);
        Assert.Equal(expected, e.Description);
        Assert.Equal(HandshakeStatus.Failed, client.Server.Status);
        Assert.True(client.Server.Output.IsEmpty);
    }
}
