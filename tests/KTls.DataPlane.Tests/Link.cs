using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>A stream of ours and, at the other end, a peer with its hands on every record.</summary>
internal sealed class Link : IAsyncDisposable
{
    private Link(TcpPair tcp, KTlsStream ours, RawPeer peer)
    {
        Tcp = tcp;
        Ours = ours;
        Peer = peer;
    }

    public TcpPair Tcp { get; }

    public KTlsStream Ours { get; }

    public RawPeer Peer { get; }

    /// <summary>We are the server; no tickets, so that the first record has the number 0. Early data comes together with the peer's Finished.</summary>
    public static async Task<Link> ServerAsync(KTlsOptions options, SslProtocols protocol = SslProtocols.Tls13, int bufferSize = 0, byte[]? early = null)
    {
        options.TicketCount = 0;
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        TcpPair tcp = TcpPair.Connect(bufferSize);
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options);
        RawPeer peer = await RawPeer.ConnectAsync(tcp.Client);
        if (protocol == SslProtocols.Tls13)
        {
            await peer.SendAsync(peer.LastFlight, early is null ? [] : peer.Seal(ContentType.ApplicationData, early));
        }

        return new Link(tcp, await accepting, peer);
    }

    /// <summary>We are the client.</summary>
    public static async Task<Link> ClientAsync(KTlsOptions options)
    {
        TcpPair tcp = TcpPair.Connect();
        Task<RawPeer> accepting = RawPeer.AcceptAsync(tcp.Server, Lab.Credential);
        KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), options);
        return new Link(tcp, ours, await accepting);
    }

    /// <summary>Records as the peer seals them: a KeyUpdate changes the keys of those that follow.</summary>
    public Task SendAsync(params (ContentType Type, byte[] Content)[] records)
    {
        var all = new List<byte[]>();
        foreach ((ContentType type, byte[] content) in records)
        {
            all.Add(Peer.Seal(type, content));
            if (type == ContentType.Handshake && content is [.., 24, 0, 0, 1, 0 or 1])
            {
                Peer.UpdateSendKeys();
            }
        }

        return Peer.SendAsync([.. all]);
    }

    /// <summary>Sends data in records of a size.</summary>
    public async Task SendDataAsync(byte[] data, int recordSize)
    {
        foreach (byte[] piece in data.Chunk(recordSize))
        {
            await Peer.SendDataAsync(piece);
        }
    }

    /// <summary>The next record, which opens only if it has the number that follows. A KeyUpdate changes the keys of those that follow.</summary>
    public async Task<(ContentType Type, byte[] Content)> ReceiveAsync()
    {
        (ContentType type, byte[] content) = await Peer.ReceiveAsync().WaitAsync(Lab.Patience);
        if (type == ContentType.Handshake)
        {
            Assert.Equal([24, 0, 0, 1], content.AsSpan(0, 4).ToArray());
            Peer.UpdateReceiveKeys();
        }

        return (type, content);
    }

    public async Task AssertReceivesAsync(ContentType type, params byte[] content)
    {
        (ContentType receivedType, byte[] received) = await ReceiveAsync();
        Assert.Equal((type, Convert.ToHexString(content)), (receivedType, Convert.ToHexString(received)));
    }

    public Task AssertAlertAsync(AlertDescription description) => AssertReceivesAsync(ContentType.Alert, TlsAlert.Create(description));

    public async Task AssertReadsAsync(params byte[] expected)
    {
        byte[] received = new byte[expected.Length];
        await Ours.ReadExactlyAsync(received).AsTask().WaitAsync(Lab.Patience);
        Assert.Equal(expected, received);
    }

    public async Task<T> AssertReadFailsAsync<T>(int readSize = 100)
        where T : IOException
    {
        T first = await Assert.ThrowsAsync<T>(async () => await Ours.ReadAsync(new byte[readSize]).AsTask().WaitAsync(Lab.Patience));

        // And so does every later one, with what the first has told.
        for (int i = 0; i < 3; i++)
        {
            T later = await Assert.ThrowsAsync<T>(async () => await Ours.ReadAsync(new byte[readSize * (i & 1)]).AsTask().WaitAsync(Lab.Patience));
            Assert.Equal((first.Message, first.InnerException?.GetType()), (later.Message, later.InnerException?.GetType()));
        }

        return first;
    }

    /// <summary>Reads on to the alert that the peer's misbehaviour ends in, which the peer receives.</summary>
    public async Task AssertRefusesAsync(AlertDescription alert, int readSize = 100)
    {
        IOException e = await AssertReadFailsAsync<IOException>(readSize);
        Assert.Equal(alert, Assert.IsType<TlsAlertException>(e.InnerException).Description);
        await AssertAlertAsync(alert);
    }

    public async ValueTask DisposeAsync()
    {
        await Ours.DisposeAsync();
        Peer.Dispose();
        Tcp.Dispose();
    }
}
