using System.Net.Security;

namespace KTls.Tests;

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

    /// <summary>Ends TCP in the client's direction, without close_notify.</summary>
    public void EndTcp() => _tcp.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);

    public static async Task<StreamPair> ConnectAsync(KTlsOptions options, SslServerAuthenticationOptions? server = null, SslClientAuthenticationOptions? client = null)
    {
        TcpPair tcp = TcpPair.Connect();
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server ?? TestPki.Server(), options);
        KTlsStream connected = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client ?? TestPki.Client(), options);
        return new StreamPair(tcp, connected, await accepting);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        _tcp.Dispose();
    }
}
