using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>What a client takes in a ServerHello of TLS 1.2, and what ends the handshake.</summary>
public sealed class ServerHelloTests
{
    private const SslProtocols Both = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>RFC 8446 §4.1.3: (the client's versions, the end of the server's random) and whether the client goes on.</summary>
    [Theory]
    [InlineData(Both, "444f574e47524401", false)]
    [InlineData(Both, "444f574e47524400", false)]
    [InlineData(SslProtocols.Tls12, "444f574e47524401", true)]
    [InlineData(SslProtocols.Tls12, "444f574e47524400", false)]
    [InlineData(Both, "444f574e47524402", true)]
    [InlineData(Both, "454f574e47524401", true)]
    public void A_server_that_could_do_better_has_not_seen_our_offer(SslProtocols protocols, string end, bool goesOn)
    {
        using var server = new ScriptedServer12(ScriptedServer12.Connect(protocols));
        Convert.FromHexString(end).CopyTo(server.Hello.Random.AsSpan(24));
        AssertOutcome(server, goesOn ? null : AlertDescription.IllegalParameter);
    }

    [Theory]
    [InlineData(0x0303, null)]
    [InlineData(0x0300, AlertDescription.ProtocolVersion)]
    [InlineData(0x0301, AlertDescription.ProtocolVersion)]
    [InlineData(0x0302, AlertDescription.ProtocolVersion)]
    [InlineData(0x0304, AlertDescription.ProtocolVersion)]
    public void The_version_is_TLS_1_2(int version, object? alert)
    {
        foreach (SslProtocols protocols in new[] { SslProtocols.Tls12, Both })
        {
            using var server = new ScriptedServer12(ScriptedServer12.Connect(protocols));
            server.Hello.LegacyVersion = version;
            AssertOutcome(server, (AlertDescription?)alert);
        }

        using var newer = new ScriptedServer12(ScriptedServer12.Connect(SslProtocols.Tls13));
        newer.Hello.LegacyVersion = version;
        AssertOutcome(newer, AlertDescription.ProtocolVersion);
    }

    /// <summary>supported_versions cannot choose TLS 1.2 (RFC 8446 §4.2.1), nor anything for a client that did not offer it.</summary>
    [Theory]
    [InlineData(Both, 0x0303, AlertDescription.IllegalParameter)]
    [InlineData(Both, 0x0302, AlertDescription.IllegalParameter)]
    [InlineData(Both, 0x0000, AlertDescription.UnsupportedExtension)]
    [InlineData(SslProtocols.Tls12, 0x0304, AlertDescription.ProtocolVersion)]
    [InlineData(SslProtocols.Tls12, 0x0303, AlertDescription.ProtocolVersion)]
    public void supported_versions_does_not_choose_TLS_1_2(SslProtocols protocols, int version, AlertDescription alert)
    {
        using var server = new ScriptedServer12(ScriptedServer12.Connect(protocols));
        server.Hello.Add((int)ExtensionType.SupportedVersions, Tls.U16(version));
        AssertOutcome(server, alert);
    }

    [Fact]
    public void A_HelloRetryRequest_of_TLS_1_2_does_not_exist()
    {
        foreach (SslProtocols protocols in new[] { SslProtocols.Tls12, Both })
        {
            using var server = new ScriptedServer12(ScriptedServer12.Connect(protocols));
            server.Hello.Random = ServerHelloMessage.RetryRandom;
            AssertOutcome(server, AlertDescription.IllegalParameter);
        }
    }

    /// <summary>After a HelloRetryRequest the version is settled (RFC 8446 §4.1.4).</summary>
    [Fact]
    public void A_ServerHello_of_TLS_1_2_after_a_HelloRetryRequest_is_an_illegal_parameter()
    {
        using var server = new ScriptedServer(new ClientHandshakeOptions { ServerName = "localhost", CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256, (TlsCipherSuite)ScriptedClient12.EcdheEcdsaAes128] });
        server.SendRetry(server.HelloRetryRequest());
        var hello = new ServerHelloMessage { SessionId = [], CipherSuite = ScriptedClient12.EcdheEcdsaAes128 };
        hello.Add((int)ExtensionType.ExtendedMasterSecret);
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendPlain(ContentType.Handshake, hello.ToMessage()));
    }

    [Theory]
    [InlineData(0x1301)]
    [InlineData(0xc02c)]
    [InlineData(0xc02f)]
    [InlineData(0x009c)]
    [InlineData(0x5600)]
    [InlineData(0x00ff)]
    public void A_suite_that_was_not_offered_is_an_illegal_parameter(int suite)
    {
        using var server = new ScriptedServer12(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12, CipherSuites = [(TlsCipherSuite)ScriptedClient12.EcdheEcdsaAes128] });
        server.Hello.CipherSuite = suite;
        AssertOutcome(server, AlertDescription.IllegalParameter);
    }

    [Fact]
    public void Compression_is_an_illegal_parameter()
    {
        using var server = new ScriptedServer12();
        server.Hello.Compression = 1;
        AssertOutcome(server, AlertDescription.IllegalParameter);
    }

    /// <summary>A session that was not offered cannot be resumed: its certificate was never seen.</summary>
    [Fact]
    public void An_echo_of_our_session_id_without_a_session_is_an_illegal_parameter()
    {
        using var server = new ScriptedServer12(ScriptedServer12.Connect(Both));
        server.Hello.SessionId = server.ClientHello.SessionId.ToArray();
        Assert.Equal(32, server.Hello.SessionId.Length);
        AssertOutcome(server, AlertDescription.IllegalParameter);

        using var other = new ScriptedServer12(ScriptedServer12.Connect(Both));
        other.Hello.SessionId = [.. other.ClientHello.SessionId[..^1], (byte)~other.ClientHello.SessionId[^1]];
        AssertOutcome(other, null);

        using var longer = new ScriptedServer12();
        longer.Hello.SessionId = new byte[33];
        AssertOutcome(longer, AlertDescription.DecodeError);
    }

    [Theory]
    [InlineData((int)ExtensionType.ServerName, "")]
    [InlineData((int)ExtensionType.SessionTicket, "")]
    [InlineData((int)ExtensionType.StatusRequest, "")]
    [InlineData((int)ExtensionType.RecordSizeLimit, "4000")]
    [InlineData((int)ExtensionType.ApplicationLayerProtocolNegotiation, "0003026832")]
    [InlineData((int)ExtensionType.KeyShare, "001d000101")]
    [InlineData((int)ExtensionType.PreSharedKey, "0000")]
    [InlineData((int)ExtensionType.SignatureAlgorithms, "00020403")]
    [InlineData(0x1234, "")]
    public void What_was_not_offered_is_an_unsupported_extension(int type, string body)
    {
        // No name, no tickets, no status, no limit, no protocols.
        using var server = new ScriptedServer12(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12, RequestTickets = false });
        server.Hello.Add(type, Convert.FromHexString(body));
        AssertOutcome(server, AlertDescription.UnsupportedExtension);
    }

    [Theory]
    [InlineData((int)ExtensionType.ServerName, "")]
    [InlineData((int)ExtensionType.SessionTicket, "")]
    [InlineData((int)ExtensionType.StatusRequest, "")]
    [InlineData((int)ExtensionType.RecordSizeLimit, "4000")]
    [InlineData((int)ExtensionType.ApplicationLayerProtocolNegotiation, "0003026832")]
    [InlineData((int)ExtensionType.EcPointFormats, "0100")]
    [InlineData((int)ExtensionType.RenegotiationInfo, "00")]
    public void What_was_offered_may_come_once_and_well_formed(int type, string body)
    {
        ClientHandshakeOptions options = new()
        {
            ServerName = "localhost", Protocols = SslProtocols.Tls12, RequestOcspResponse = true, RecordSizeLimit = 1000, ApplicationProtocols = [SslApplicationProtocol.Http2],
        };
        using var server = new ScriptedServer12(options);
        server.Hello.Set((ExtensionType)type, Convert.FromHexString(body));
        AssertOutcome(server, null);

        using var twice = new ScriptedServer12(options);
        twice.Hello.Set((ExtensionType)type, Convert.FromHexString(body));
        twice.Hello.Add(type, Convert.FromHexString(body));
        AssertOutcome(twice, AlertDescription.IllegalParameter);

        using var longer = new ScriptedServer12(options);
        longer.Hello.Set((ExtensionType)type, [.. Convert.FromHexString(body), 0]);
        AssertOutcome(longer, AlertDescription.DecodeError);
    }

    [Theory]
    [InlineData((int)ExtensionType.RenegotiationInfo, "0c000102030405060708090a0b", AlertDescription.HandshakeFailure)]
    [InlineData((int)ExtensionType.EcPointFormats, "0101", AlertDescription.IllegalParameter)]
    [InlineData((int)ExtensionType.EcPointFormats, "00", AlertDescription.DecodeError)]
    [InlineData((int)ExtensionType.ApplicationLayerProtocolNegotiation, "0003026833", AlertDescription.IllegalParameter)]
    [InlineData((int)ExtensionType.ApplicationLayerProtocolNegotiation, "0006026832026832", AlertDescription.IllegalParameter)]
    [InlineData((int)ExtensionType.RecordSizeLimit, "003f", AlertDescription.IllegalParameter)]
    public void A_wrong_answer_ends_in_its_alert(int type, string body, AlertDescription alert)
    {
        using var server = new ScriptedServer12(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12, RecordSizeLimit = 1000, ApplicationProtocols = [SslApplicationProtocol.Http2] });
        server.Hello.Set((ExtensionType)type, Convert.FromHexString(body));
        AssertOutcome(server, alert);
    }

    [Theory]
    [InlineData(true, AlertDescription.HandshakeFailure)]
    [InlineData(false, null)]
    public void A_server_without_the_extended_master_secret_is_for_clients_that_allow_it(bool isRequired, object? alert)
    {
        ClientHandshakeOptions options = new() { Protocols = SslProtocols.Tls12, RequireExtendedMasterSecret = isRequired };
        using var server = new ScriptedServer12(options) { IsExtended = false };
        server.Hello.Remove(ExtensionType.ExtendedMasterSecret);
        AssertOutcome(server, (AlertDescription?)alert);

        if (!isRequired)
        {
            server.SendMessages(server.Certificate(), server.ServerKeyExchange(), ScriptedServer12.ServerHelloDone());
            server.Client.AcceptPeerCertificate();
            server.ReadFlight();
            server.SendChangeCipherSpec();
            server.SendFinished();
            Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
        }
    }

    /// <summary>RFC 5746 §4.1: whoever does without secure renegotiation may have let somebody else speak before us.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(Both)]
    public void A_server_without_secure_renegotiation_is_refused(SslProtocols protocols)
    {
        using var server = new ScriptedServer12(ScriptedServer12.Connect(protocols));
        server.Hello.Remove(ExtensionType.RenegotiationInfo);
        AssertOutcome(server, AlertDescription.HandshakeFailure);

        // No block at all says the same (RFC 5246 §7.4.1.3).
        using var bare = new ScriptedServer12(ScriptedServer12.Connect(protocols));
        bare.Hello.ExtensionBlock = [];
        AssertOutcome(bare, AlertDescription.HandshakeFailure);

        using var allowed = new ScriptedServer12(new ClientHandshakeOptions { Protocols = protocols, RequireSecureRenegotiation = false, RequireExtendedMasterSecret = false });
        allowed.Hello.ExtensionBlock = [];
        AssertOutcome(allowed, null);
    }

    private static void AssertOutcome(ScriptedServer12 server, AlertDescription? alert)
    {
        if (alert is { } expected)
        {
            server.AssertAlert(expected, server.SendHello);
        }
        else
        {
            server.SendHello();
            Assert.Equal(HandshakeStatus.NeedsRecord, server.Client.Status);
        }
    }
}
