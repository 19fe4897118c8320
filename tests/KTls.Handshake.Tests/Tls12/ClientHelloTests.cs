using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>What a server of TLS 1.2 makes of a ClientHello.</summary>
public sealed class ClientHelloTests
{
    private const SslProtocols Both = SslProtocols.Tls12 | SslProtocols.Tls13;
    private const int FallbackScsv = 0x5600;
    private const int RenegotiationScsv = 0x00ff;

    /// <summary>RFC 8446 §4.1.3: who could do TLS 1.3 says so in its random.</summary>
    [Theory]
    [InlineData(Both, true)]
    [InlineData(SslProtocols.Tls12, false)]
    public void The_random_says_whether_TLS_1_3_is_spoken_here(SslProtocols protocols, bool isMarked)
    {
        using var client = new ScriptedClient12(Serve(protocols));
        client.SendHello();
        client.ReadFlight();
        byte[] serverHello = client.Find(HandshakeType.ServerHello)!;
        Assert.Equal(isMarked, serverHello.AsSpan(6 + 24, 8).SequenceEqual("DOWNGRD\u0001"u8));
        Assert.Contains(serverHello[6..30], b => b != 0);
    }

    /// <summary>A resumed session is no way around it.</summary>
    [Fact]
    public void The_random_of_a_resumed_session_says_so_too()
    {
        ServerHandshakeOptions options = new() { Credential = TestCertificates.Ecdsa, Tickets = new TicketKeyRing() };
        using var client = new ScriptedClient12(options);
        client.Hello.Set(ExtensionType.SessionTicket, TicketTests.TakeTicket(options, out _));
        client.SendHello();
        Assert.Equal("DOWNGRD\u0001"u8, client.TakeOutput()[0].AsSpan(RecordHeader.Size + 6 + 24, 8));
    }

    /// <summary>RFC 7507 §3: (what the server speaks, the version of the ClientHello, its supported_versions) and the alert.</summary>
    [Theory]
    [InlineData(Both, 0x0303, null, AlertDescription.InappropriateFallback)]
    [InlineData(SslProtocols.Tls12, 0x0303, null, null)]
    [InlineData(SslProtocols.Tls12, 0x0302, null, AlertDescription.InappropriateFallback)]
    [InlineData(Both, 0x0302, null, AlertDescription.InappropriateFallback)]
    [InlineData(SslProtocols.Tls13, 0x0303, null, AlertDescription.InappropriateFallback)]
    [InlineData(SslProtocols.Tls12, 0x0303, 0x0304, AlertDescription.ProtocolVersion)]
    [InlineData(SslProtocols.Tls12, 0x0303, 0x0303, null)]
    public void A_fallback_without_need_is_refused(SslProtocols protocols, int version, int? supported, object? alert)
    {
        using var client = new ScriptedClient12(Serve(protocols));
        client.Hello.LegacyVersion = version;
        client.Hello.CipherSuites = Tls.Vector16(Tls.U16List(ScriptedClient12.EcdheEcdsaAes128, FallbackScsv));
        if (supported is { } number)
        {
            client.Hello.Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16(number)));
        }

        AssertOutcome(client, alert as AlertDescription?);
    }

    [Theory]
    [InlineData(0x0303, null)]
    [InlineData(0x0304, null)]
    [InlineData(0x0399, null)]
    [InlineData(0x0302, AlertDescription.ProtocolVersion)]
    [InlineData(0x0301, AlertDescription.ProtocolVersion)]
    [InlineData(0x0300, AlertDescription.ProtocolVersion)]
    [InlineData(0x0002, AlertDescription.ProtocolVersion)]
    public void Older_versions_are_refused(int version, object? alert)
    {
        using var client = new ScriptedClient12(Serve(SslProtocols.Tls12));
        client.Hello.LegacyVersion = version;
        AssertOutcome(client, alert as AlertDescription?);
    }

    /// <summary>RFC 5746 §3.6: by the extension or by the signal, and empty.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Who_speaks_of_renegotiation_is_answered(bool byExtension, bool bySignal)
    {
        using var client = new ScriptedClient12();
        if (byExtension)
        {
            client.Hello.Set(ExtensionType.RenegotiationInfo, [0]);
        }

        if (bySignal)
        {
            client.Hello.CipherSuites = Tls.Vector16(Tls.U16List(ScriptedClient12.EcdheEcdsaAes128, RenegotiationScsv));
        }

        client.SendHello();
        client.ReadFlight();
        ServerHello hello = ServerHello.Read(client.Find(HandshakeType.ServerHello));
        Assert.Equal(byExtension || bySignal, hello.Extensions.HasRenegotiationInfo);
        Assert.True(hello.Extensions.RenegotiationInfo.IsEmpty);
    }

    [Fact]
    public void A_first_ClientHello_that_renegotiates_is_refused()
    {
        using var client = new ScriptedClient12();
        client.Hello.Set(ExtensionType.RenegotiationInfo, Tls.Vector8(new byte[12]));
        AssertOutcome(client, AlertDescription.HandshakeFailure);
    }

    [Theory]
    [InlineData("0100", null)]
    [InlineData("020100", null)]
    [InlineData("0101", AlertDescription.IllegalParameter)]
    [InlineData("00", AlertDescription.DecodeError)]
    public void Compression_is_never_used(string methods, object? alert)
    {
        using var client = new ScriptedClient12();
        client.Hello.Compression = Convert.FromHexString(methods);
        AssertOutcome(client, alert as AlertDescription?);
    }

    [Theory]
    [InlineData("0100", null)]
    [InlineData("020100", null)]
    [InlineData("0101", AlertDescription.IllegalParameter)]
    [InlineData("00", AlertDescription.DecodeError)]
    public void Points_are_uncompressed(string formats, object? alert)
    {
        using var client = new ScriptedClient12();
        client.Hello.Set(ExtensionType.EcPointFormats, Convert.FromHexString(formats));
        AssertOutcome(client, alert as AlertDescription?);
    }

    /// <summary>Without supported_groups any curve will do (RFC 8422 §4): P-256 it is.</summary>
    [Fact]
    public void A_client_without_groups_gets_P256()
    {
        using var client = new ScriptedClient12();
        client.Hello.Remove(ExtensionType.SupportedGroups);
        client.SendHello();
        byte[] flight = Tls.Concat([.. client.TakeOutput().Select(record => record[RecordHeader.Size..])]);
        byte[] message = Tls.SplitMessages(flight).Single(one => one[0] == (byte)HandshakeType.ServerKeyExchange);
        Assert.Equal(NamedGroup.Secp256r1, ServerKeyExchange.Read(message).Group);
    }

    [Theory]
    [InlineData(0x1301, AlertDescription.HandshakeFailure)]
    [InlineData(0xc02f, AlertDescription.HandshakeFailure)]
    [InlineData(0x009c, AlertDescription.HandshakeFailure)]
    [InlineData(0xc009, AlertDescription.HandshakeFailure)]
    [InlineData(0xc02c, null)]
    [InlineData(0xcca9, null)]
    public void The_suite_is_of_TLS_1_2_and_of_the_certificates_kind(int suite, object? alert)
    {
        using var client = new ScriptedClient12();
        client.Hello.CipherSuites = Tls.Vector16(Tls.U16(suite));
        AssertOutcome(client, alert as AlertDescription?);
    }

    [Theory]
    [InlineData((int)ExtensionType.SignatureAlgorithms, "00020804", AlertDescription.HandshakeFailure)]
    [InlineData((int)ExtensionType.SignatureAlgorithms, "00020203", AlertDescription.HandshakeFailure)]
    [InlineData((int)ExtensionType.SignatureAlgorithms, "00020503", null)]
    [InlineData((int)ExtensionType.SupportedGroups, "0002001e", AlertDescription.HandshakeFailure)]
    [InlineData((int)ExtensionType.SupportedGroups, "000411ec0017", null)]
    [InlineData((int)ExtensionType.ExtendedMasterSecret, "00", AlertDescription.DecodeError)]
    [InlineData((int)ExtensionType.RenegotiationInfo, "", AlertDescription.DecodeError)]
    [InlineData((int)ExtensionType.RenegotiationInfo, "0001", AlertDescription.DecodeError)]
    public void Other_extensions_count_as_they_should(int type, string body, object? alert)
    {
        using var client = new ScriptedClient12();
        client.Hello.Set((ExtensionType)type, Convert.FromHexString(body));
        AssertOutcome(client, alert as AlertDescription?);
    }

    /// <summary>A client that knows no extensions gets no block of them (RFC 5246 §7.4.1.4).</summary>
    [Fact]
    public void What_is_not_asked_for_is_not_answered()
    {
        using var client = new ScriptedClient12(new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, RequireExtendedMasterSecret = false, Protocols = SslProtocols.Tls12, Tickets = new TicketKeyRing() }) { IsExtended = false };
        byte[] schemes = client.Hello.Get(ExtensionType.SignatureAlgorithms);
        client.Hello.Extensions.Clear();
        client.Hello.Set(ExtensionType.SignatureAlgorithms, schemes);
        client.SendHello();
        byte[] serverHello = client.TakeOutput()[0][RecordHeader.Size..];
        Assert.Equal(4 + 2 + 32 + 1 + 2 + 1, Tls.SplitMessages(serverHello)[0].Length);
    }

    /// <summary>The session id is the client's to name; we remember none (RFC 5077 §3.4).</summary>
    [Fact]
    public void A_session_id_without_a_ticket_resumes_nothing()
    {
        using var client = new ScriptedClient12();
        client.Hello.SessionId = new byte[32];
        client.SendHello();
        client.ReadFlight();
        Assert.Equal(0, client.Find(HandshakeType.ServerHello)![38]);
    }

    private static ServerHandshakeOptions Serve(SslProtocols protocols) => new() { Credential = TestCertificates.Ecdsa, Protocols = protocols };

    private static void AssertOutcome(ScriptedClient12 client, AlertDescription? alert)
    {
        if (alert is { } expected)
        {
            client.AssertAlert(expected, client.SendHello);
        }
        else
        {
            client.SendHello();
            Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
        }
    }
}
