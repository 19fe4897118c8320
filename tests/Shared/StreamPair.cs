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

    /// <summary>The client's end of TCP, which is the stream's to use.</summary>
    public System.Net.Sockets.Socket ClientSocket => _tcp.Client;

    /// <summary>Ends TCP in the client's direction, without close_notify.</summary>
    public void EndTcp() => _tcp.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);

    public static Task<StreamPair> ConnectAsync(KTlsOptions options, SslServerAuthenticationOptions? server = null, SslClientAuthenticationOptions? client = null) =>
        ConnectAsync(TcpPair.Connect(), options, options, server ?? TestPki.Server(), client ?? TestPki.Client());

    public static Task<StreamPair> ConnectAsync(KTlsOptions client, KTlsOptions server, int bufferSize = 0) =>
        ConnectAsync(TcpPair.Connect(bufferSize), client, server, TestPki.Server(), TestPki.Client());

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        _tcp.Dispose();
    }

    private static async Task<StreamPair> ConnectAsync(TcpPair tcp, KTlsOptions clientOptions, KTlsOptions serverOptions, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client)
    {
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, serverOptions);
        KTlsStream? connected = null;
        try
        {
            connected = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, clientOptions);
            return new StreamPair(tcp, connected, await accepting);
        }
        catch
        {
            // Who fails leaves nothing running: what the other end does next would be measured in another test.
            connected?.Dispose();
            tcp.Client.Dispose();
            await accepting.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(30));
            tcp.Dispose();
            throw;
        }
    }
}
