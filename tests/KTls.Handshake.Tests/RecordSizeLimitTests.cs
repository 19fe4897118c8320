using System.Security.Authentication;
using KTls.Handshake.Tests.Tls12;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>record_size_limit (RFC 8449): both ends keep each other's limit, and enforce their own.</summary>
public sealed class RecordSizeLimitTests
{
    public static TheoryData<SslProtocols> Protocols { get; } = [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [InlineData(SslProtocols.Tls12, 64, 16384)]
    [InlineData(SslProtocols.Tls12, 16384, 64)]
    [InlineData(SslProtocols.Tls13, 64, 16384)]
    [InlineData(SslProtocols.Tls13, 16384, 64)]
    [InlineData(SslProtocols.Tls12, 100, 200)]
    [InlineData(SslProtocols.Tls13, 100, 200)]
    public void Each_end_keeps_the_others_limit(SslProtocols protocol, int clients, int servers)
    {
        using var pair = new HandshakePair(Serve(protocol, servers), Connect(protocol, clients));
        int most = 0;
        pair.Tamper = (fromClient, _, record) =>
        {
            // The ClientHello comes before anybody knows.
            most = fromClient ? most : Math.Max(most, record.Length);
            return record;
        };
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        Assert.Equal((servers, clients), (client.MaxSendContent, server.MaxSendContent));
        Assert.True(protocol == SslProtocols.Tls13 || clients == 16384 || most <= RecordHeader.Size + clients + 24);
        Assert.Equal(protocol == SslProtocols.Tls13, pair.LateRecords.Count >= 1);
        Assert.All(pair.LateRecords, record => Assert.True(record.Length <= RecordHeader.Size + clients + 17));
        HandshakeTests.AssertSameKeys(client, server, pair.LateRecords.Count);
    }

    /// <summary>Also a client's certificate, and the second flight of a server with a long one.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void Everything_sealed_is_cut(SslProtocols protocol)
    {
        ServerHandshakeOptions server = new() { Credential = TestCertificates.Ecdsa, Protocols = protocol, RequestClientCertificate = true, RecordSizeLimit = 70 };
        ClientHandshakeOptions client = new() { Protocols = protocol, SelectCertificate = _ => TestCertificates.Rsa, RecordSizeLimit = 80 };
        using var pair = new HandshakePair(server, client);
        int records = 0;
        pair.Tamper = (fromClient, number, record) =>
        {
            bool isSealed = record[0] == (byte)ContentType.ApplicationData;
            records += isSealed ? 1 : 0;
            Assert.True(!isSealed || record.Length <= RecordHeader.Size + (fromClient ? 70 : 80) + 17);
            return record;
        };
        pair.Run();
        Assert.Equal(protocol == SslProtocols.Tls13, records > 10);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Without_the_others_consent_there_is_no_limit(SslProtocols protocol)
    {
        foreach ((int? clients, int? servers) in new (int?, int?)[] { (100, null), (null, 100) })
        {
            using var pair = new HandshakePair(Serve(protocol, servers), Connect(protocol, clients));
            pair.Run();
            using TlsSession client = pair.Client.TakeSession();
            using TlsSession server = pair.Server.TakeSession();
            Assert.Equal((RecordHeader.MaxPlaintext, RecordHeader.MaxPlaintext), (client.MaxSendContent, server.MaxSendContent));
        }
    }

    /// <summary>RFC 8449 §4: a larger record than it was told is a record_overflow, the type and the padding among it in TLS 1.3.</summary>
    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void A_server_refuses_larger_records(int length, bool isTaken)
    {
        byte[] limit = Tls.U16(16385);
        using var newer = new ScriptedClient(new ServerHandshakeOptions
        {
            Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls13, CipherSuites = [System.Net.Security.TlsCipherSuite.TLS_AES_128_GCM_SHA256], RecordSizeLimit = 100,
        });
        newer.Hello.Set(ExtensionType.RecordSizeLimit, limit);
        newer.SendHello();
        newer.ReadFlight();
        AssertTaken(isTaken, () => newer.SendSealed(ContentType.Handshake, Begun(length)));

        using var older = new ScriptedClient12(new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Protocols = SslProtocols.Tls12, RecordSizeLimit = 100 });
        older.Hello.Set(ExtensionType.RecordSizeLimit, limit);
        older.SendHello();
        older.ReadFlight();
        older.SendKeyExchange();
        older.SendChangeCipherSpec();
        AssertTaken(isTaken, () => older.SendSealed(ContentType.Handshake, Begun(length)));
    }

    /// <summary>What a client that offers TLS 1.3 tells a server of TLS 1.2 has the type counted in (RFC 8449 §4).</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, 100, true)]
    [InlineData(SslProtocols.Tls12, 101, false)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, 101, true)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, 102, false)]
    public void A_client_refuses_larger_records_of_TLS_1_2(SslProtocols protocols, int length, bool isTaken)
    {
        using var server = new ScriptedServer12(new ClientHandshakeOptions { Protocols = protocols, RecordSizeLimit = 100 });
        server.Hello.Add((int)ExtensionType.RecordSizeLimit, Tls.U16(16384));
        server.Exchange();
        server.SendChangeCipherSpec();
        AssertTaken(isTaken, () => server.SendSealed(ContentType.Handshake, Begun(length)));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void A_client_refuses_larger_records_of_TLS_1_3(int length, bool isTaken)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello, new ClientHandshakeOptions
        {
            ServerName = "localhost", CipherSuites = [System.Net.Security.TlsCipherSuite.TLS_AES_128_GCM_SHA256], RecordSizeLimit = 100,
        });
        server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension((int)ExtensionType.RecordSizeLimit, Tls.U16(16385))));
        AssertTaken(isTaken, () => server.SendSealed(ContentType.Handshake, Begun(length, HandshakeType.Certificate)));
    }

    [Theory]
    [InlineData(63)]
    [InlineData(16385)]
    [InlineData(-1)]
    public void A_limit_out_of_bounds_is_refused(int limit)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClientHandshakeOptions { RecordSizeLimit = limit });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, RecordSizeLimit = limit });
    }

    [Theory]
    [InlineData("0040", null)]
    [InlineData("ffff", null)]
    [InlineData("003f", AlertDescription.IllegalParameter)]
    [InlineData("0000", AlertDescription.IllegalParameter)]
    [InlineData("40", AlertDescription.DecodeError)]
    [InlineData("004000", AlertDescription.DecodeError)]
    public void A_clients_limit_is_at_least_64(string body, object? alert)
    {
        using var client = new ScriptedClient();
        client.Hello.Set(ExtensionType.RecordSizeLimit, Convert.FromHexString(body));
        if (alert is AlertDescription expected)
        {
            client.AssertAlert(expected, client.SendHello);
        }
        else
        {
            client.SendHello();
            Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(9)]
    [InlineData(256)]
    public void A_number_of_tickets_out_of_bounds_is_refused(int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, TicketCount = count });

    // The beginning of a message that goes on in further records: of so many bytes all are taken.
    private static byte[] Begun(int length, HandshakeType type = HandshakeType.Finished) => [(byte)type, 0, 4, 0, .. new byte[length - 4]];

    private static void AssertTaken(bool isTaken, Action step)
    {
        Exception? e = Record.Exception(step);
        Assert.Equal(isTaken ? null : AlertDescription.RecordOverflow, (e as TlsAlertException)?.Description);
        Assert.Equal(isTaken, e is null);
    }

    private static ServerHandshakeOptions Serve(SslProtocols protocol, int? limit) =>
        new() { Credential = TestCertificates.Ecdsa, Protocols = protocol, RecordSizeLimit = limit, Tickets = protocol == SslProtocols.Tls13 ? new TicketKeyRing() : null };

    private static ClientHandshakeOptions Connect(SslProtocols protocol, int? limit) => new() { ServerName = "localhost", Protocols = protocol, RecordSizeLimit = limit };
}
