namespace KTls.DataPlane.Tests;

/// <summary>Our client and our server, joined by TCP.</summary>
internal sealed class StreamPair : IAsyncDisposable
{
    private readonly TcpPair _tcp;

    private StreamPair(TcpPair tcp, KTlsStream client, KTlsStream server)
    {
        _tcp = tcp;
        Client = client;
        Server = server;
    }

    public KTlsStream Client { get; }

    public KTlsStream Server { get; }

    public static async Task<StreamPair> ConnectAsync(KTlsOptions client, KTlsOptions server, int bufferSize = 0)
    {
        TcpPair tcp = TcpPair.Connect(bufferSize);
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, TestPki.Server(), server);
        KTlsStream connected = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), client);
        return new StreamPair(tcp, connected, await accepting);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        _tcp.Dispose();
    }
}
