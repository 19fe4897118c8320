namespace KTls.Contract.Tests;

/// <summary>Two ends of a connection, and the TCP connection under them.</summary>
public sealed class Pair : IAsyncDisposable
{
    private readonly TcpPair _tcp;

    internal Pair(TcpPair tcp, Stream client, Stream server)
    {
        _tcp = tcp;
        Client = client;
        Server = server;
    }

    public Stream Client { get; }

    public Stream Server { get; }

    /// <summary>Ends TCP in the client's direction, without close_notify.</summary>
    public void EndTcp() => _tcp.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);

    /// <summary>Closes the client's end of TCP, in both directions, without close_notify.</summary>
    public void CloseTcp() => _tcp.Client.Dispose();

    /// <summary>The client's end of TCP is gone at once: the server meets a reset.</summary>
    public void ResetTcp()
    {
        // A close that lingers for no time is a reset.
        _tcp.Client.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        _tcp.Client.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        _tcp.Dispose();
    }
}
