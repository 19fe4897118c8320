using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Tests;

/// <summary>One end of ours and one of SslStream, joined by TCP.</summary>
internal sealed class MixedPair : IAsyncDisposable
{
    private readonly TcpPair _tcp;

    private MixedPair(TcpPair tcp, KTlsStream ours, SslStream theirs)
    {
        _tcp = tcp;
        Ours = ours;
        Theirs = theirs;
    }

    public KTlsStream Ours { get; }

    public SslStream Theirs { get; }

    public static async Task<MixedPair> ConnectAsync(bool isServer, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client, KTlsOptions options)
    {
        TcpPair tcp = TcpPair.Connect();
        var theirs = new SslStream(new NetworkStream(isServer ? tcp.Client : tcp.Server));
        Task theirHandshake = isServer ? theirs.AuthenticateAsClientAsync(client) : theirs.AuthenticateAsServerAsync(server);
        KTlsStream ours = isServer
            ? await KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options)
            : await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, options);
        await theirHandshake;
        return new MixedPair(tcp, ours, theirs);
    }

    public async ValueTask DisposeAsync()
    {
        await Ours.DisposeAsync();
        await Theirs.DisposeAsync();
        _tcp.Dispose();
    }
}
