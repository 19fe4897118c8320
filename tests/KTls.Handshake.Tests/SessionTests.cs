using System.Security.Authentication;

namespace KTls.Handshake.Tests;

/// <summary>What a complete handshake leaves behind.</summary>
public sealed class SessionTests
{
    /// <summary>HkdfLabel's label is never empty (RFC 8446 §7.1); the PRF's may be (RFC 5705 §4).</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void An_exporter_without_a_label_is_for_TLS_1_2(SslProtocols protocol, bool isAllowed)
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = protocol }, new ClientHandshakeOptions { Protocols = protocol });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        byte[] one = new byte[20];
        byte[] other = new byte[20];
        if (isAllowed)
        {
            client.ExportKeyingMaterial(default, null, one);
            server.ExportKeyingMaterial(default, null, other);
            Assert.Equal(one, other);
        }
        else
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => client.ExportKeyingMaterial(default, null, one));
        }
    }

    /// <summary>One record, and so one number of the application keys, for all tickets.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(8, 1)]
    public void A_servers_tickets_share_a_record(int tickets, int records)
    {
        using var pair = new HandshakePair(new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Tickets = new TicketKeyRing(), TicketCount = tickets });
        pair.Run();
        Assert.Equal(records, pair.LateRecords.Count);
        using TlsSession server = pair.Server.TakeSession();
        using RecordKeys keys = server.GetSendKeys();
        using var sealer = new RecordSealer(keys);
        Assert.Equal((ulong)records, sealer.Sequence);
    }
}
