using System.Security.Authentication;
using KTls.Handshake.Tests.Resumption;

namespace KTls.Handshake.Tests;

/// <summary>SSLKEYLOGFILE's lines: the right labels, with the client's random, the same from both ends.</summary>
public sealed class KeyLogTests
{
    private static readonly string[] Labels13 =
    [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "EXPORTER_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0",
    ];

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls13, true)]
    public void Both_ends_write_the_same_lines(SslProtocols protocol, bool isResumed)
    {
        var ring = new TicketKeyRing();
        using ClientSession session = Resuming.Begin(Serve(protocol, ring, null), Connect(protocol, null, null));
        var clients = new List<string>();
        var servers = new List<string>();
        using var pair = new HandshakePair(Serve(protocol, ring, servers.Add), Connect(protocol, clients.Add, isResumed ? session : null));
        pair.Run();
        Assert.Equal(clients.Order(StringComparer.Ordinal), servers.Order(StringComparer.Ordinal));
        Assert.Equal(protocol == SslProtocols.Tls12 ? ["CLIENT_RANDOM"] : Labels13, clients.Select(line => line.Split(' ')[0]).Order(StringComparer.Ordinal));
        string random = Convert.ToHexStringLower(pair.Server.ClientHello!.Random);
        Assert.All(clients, line => Assert.Matches($"^[A-Z_0-9]+ {random} [0-9a-f]{{{(protocol == SslProtocols.Tls12 ? 96 : 64)}}}$", line));
        Assert.Equal(clients.Count, clients.Select(line => line.Split(' ')[2]).Distinct().Count());
    }

    /// <summary>The secrets are those of the connection: its keys come from them.</summary>
    [Fact]
    public void The_traffic_secrets_are_the_right_ones()
    {
        var lines = new List<string>();
        using var pair = new HandshakePair(client: new ClientHandshakeOptions { Protocols = SslProtocols.Tls13, KeyLog = lines.Add });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        foreach ((string label, RecordKeys keys) in new[] { ("CLIENT_TRAFFIC_SECRET_0", client.GetSendKeys()), ("SERVER_TRAFFIC_SECRET_0", client.GetReceiveKeys()) })
        {
            byte[] secret = Convert.FromHexString(lines.Single(line => line.StartsWith(label, StringComparison.Ordinal)).Split(' ')[2]);
            using var expected = new RecordKeys(keys.Suite, secret);
            Assert.Equal(expected.Key.ToArray(), keys.Key.ToArray());
            keys.Dispose();
        }
    }

    private static ServerHandshakeOptions Serve(SslProtocols protocol, TicketKeyRing ring, Action<string>? log) =>
        new() { Credential = TestCertificates.Ecdsa, Protocols = protocol, Tickets = ring, KeyLog = log };

    private static ClientHandshakeOptions Connect(SslProtocols protocol, Action<string>? log, ClientSession? session) =>
        new() { ServerName = "localhost", Protocols = protocol, Session = session, KeyLog = log };
}
