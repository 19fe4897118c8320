using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>What the hellos of TLS 1.2 may and may not say.</summary>
public sealed class Tls12HelloTests
{
    private const int EcdheEcdsaAes128 = 0xc02b;

    /// <summary>RFC 5246 §7.4.1.2: no session to resume, no session id.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, 0)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, 32)]
    public void A_client_of_TLS_1_2_alone_names_no_session(SslProtocols protocols, int length)
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { Protocols = protocols });
        Assert.Equal(length, ClientHello.Read(client.Output.Span[RecordHeader.Size..]).SessionId.Length);
    }

    /// <summary>Some servers in use do it; the client has offered the extension.</summary>
    [Fact]
    public void A_ServerHello_with_the_servers_groups_is_accepted()
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12 });
        client.ReceiveRecord(Tls.Record(ContentType.Handshake, ServerHello(Tls.Vector16(Tls.U16List(23, 24))).ToMessage()));
        Assert.Equal(HandshakeStatus.NeedsRecord, client.Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0003001700")]
    public void A_ServerHello_with_malformed_groups_is_a_decode_error(string body)
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12 });
        byte[] record = Tls.Record(ContentType.Handshake, ServerHello(Convert.FromHexString(body)).ToMessage());
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => client.ReceiveRecord(record));
        Assert.Equal(AlertDescription.DecodeError, e.Description);
    }

    /// <summary>An empty session id answers an empty one in every full handshake: it resumes nothing.</summary>
    [Fact]
    public void An_empty_session_id_is_no_resumption()
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { Protocols = SslProtocols.Tls12 });
        ServerHelloMessage hello = ServerHello(Tls.Vector16(Tls.U16List(23)));
        Assert.Empty(hello.SessionId);
        client.ReceiveRecord(Tls.Record(ContentType.Handshake, hello.ToMessage()));
        Assert.Equal(HandshakeStatus.NeedsRecord, client.Status);
    }

    /// <summary>RFC 8422 §5.1: the server must consider supported_groups for the key of its certificate, too.</summary>
    [Theory]
    [InlineData(NamedGroup.X25519, false)]
    [InlineData(NamedGroup.Secp256r1, true)]
    public void The_curve_of_the_certificate_must_be_one_of_the_clients(object group, bool isServed)
    {
        using ScriptedClient client = Client();
        client.Hello.Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16((int)(NamedGroup)group)));
        if (isServed)
        {
            client.SendHello();
            Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
        }
        else
        {
            client.AssertAlert(AlertDescription.HandshakeFailure, client.SendHello);
        }
    }

    /// <summary>RFC 5246 §7.3: the client's next message answers ServerHelloDone.</summary>
    [Fact]
    public void Nothing_stands_behind_the_ClientHello_in_its_record()
    {
        using ScriptedClient client = Client();
        byte[] content = [.. client.Hello.ToMessage(), (byte)HandshakeType.ClientKeyExchange];
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.Handshake, content));
    }

    private static ScriptedClient Client()
    {
        var client = new ScriptedClient(new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls12 });
        client.Hello.Remove(ExtensionType.SupportedVersions);
        client.Hello.Remove(ExtensionType.KeyShare);
        client.Hello.CipherSuites = Tls.Vector16(Tls.U16(EcdheEcdsaAes128));
        client.Hello.Add((int)ExtensionType.ExtendedMasterSecret);
        return client;
    }

    private static ServerHelloMessage ServerHello(byte[] groups)
    {
        var hello = new ServerHelloMessage { SessionId = [], CipherSuite = EcdheEcdsaAes128 };
        hello.Add((int)ExtensionType.RenegotiationInfo, [0]);
        hello.Add((int)ExtensionType.ExtendedMasterSecret);
        hello.Add((int)ExtensionType.SupportedGroups, groups);
        return hello;
    }
}
