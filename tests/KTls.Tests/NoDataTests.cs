using KTls.Handshake;
using KTls.Interop.Tests;

namespace KTls.Tests;

/// <summary>A peer that sends what is no data keeps a connection busy for nothing: there is an end to it.</summary>
public sealed class NoDataTests
{
    private const int Limit = 32;

    public static TheoryData<string> Kinds => ["empty record", "KeyUpdate", "user_canceled"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Up_to_the_limit_the_connection_goes_on(string kind)
    {
        using TcpPair tcp = TcpPair.Connect();
        (KTlsStream server, RawPeer client) = await ConnectAsync(tcp);
        await using KTlsStream _ = server;
        using RawPeer peer = client;
        for (int round = 0; round < 2; round++)
        {
            // Data begins the count anew.
            await SendAsync(peer, kind, Limit);
            await peer.SendDataAsync([1, 2, 3]);
            Assert.Equal(3, await server.ReadAsync(new byte[10]));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Beyond_the_limit_the_connection_ends(string kind)
    {
        using TcpPair tcp = TcpPair.Connect();
        (KTlsStream server, RawPeer client) = await ConnectAsync(tcp);
        await using KTlsStream _ = server;
        using RawPeer peer = client;
        await SendAsync(peer, kind, Limit + 1);
        IOException e = await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[10]));
        Assert.Equal(AlertDescription.UnexpectedMessage, Assert.IsType<TlsAlertException>(e.InnerException).Description);

        (ContentType type, byte[] content) = await ReceiveAfterTicketsAsync(peer);
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([2, (byte)AlertDescription.UnexpectedMessage], content);
    }

    private static async Task<(KTlsStream Server, RawPeer Client)> ConnectAsync(TcpPair tcp)
    {
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        RawPeer client = await RawPeer.ConnectAsync(tcp.Client);
        await client.SendAsync(client.LastFlight);
        return (await accepting, client);
    }

    private static async Task SendAsync(RawPeer peer, string kind, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await peer.SendAsync(kind switch
            {
                "empty record" => peer.Seal(ContentType.ApplicationData, []),
                "KeyUpdate" => peer.Seal(ContentType.Handshake, PostHandshakeReader.CreateKeyUpdate(requestUpdate: false)),
                _ => peer.Seal(ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)),
            });
            if (kind == "KeyUpdate")
            {
                peer.UpdateSendKeys();
            }
        }
    }

    private static async Task<(ContentType Type, byte[] Content)> ReceiveAfterTicketsAsync(RawPeer peer)
    {
        (ContentType Type, byte[] Content) record;
        do
        {
            record = await peer.ReceiveAsync();
        }
        while (record.Type == ContentType.Handshake);
        return record;
    }
}
