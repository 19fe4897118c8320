using System.Net.Security;
using System.Net.Sockets;
using KTls.Tests;

namespace KTls.Bench.Connections;

/// <summary>Streams of all kinds, which own their sockets.</summary>
internal static class BenchStreams
{
    private static readonly SslServerAuthenticationOptions Server = TestPki.Server();
    private static readonly KTlsOptions InKernel = new() { DataPlane = DataPlanePolicy.RequireKernel };
    private static readonly KTlsOptions InUserSpace = new() { DataPlane = DataPlanePolicy.UserSpace };

    /// <summary>The server's end.</summary>
    public static async Task<Stream> AcceptAsync(StreamKind kind, Socket socket)
    {
        switch (kind)
        {
            case StreamKind.Plain:
                return new NetworkStream(socket, ownsSocket: true);
            case StreamKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsServerAsync(Server);
                return stream;
            default:
                return await KTlsStream.AuthenticateAsServerAsync(socket, Server, OptionsOf(kind));
        }
    }

    /// <summary>The client's end.</summary>
    public static async Task<Stream> ConnectAsync(StreamKind kind, Socket socket)
    {
        switch (kind)
        {
            case StreamKind.Plain:
                return new NetworkStream(socket, ownsSocket: true);
            case StreamKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsClientAsync(BenchClient.Options);
                return stream;
            default:
                return await KTlsStream.AuthenticateAsClientAsync(socket, BenchClient.Options, OptionsOf(kind));
        }
    }

    /// <summary>Takes connections from now on, and serves each.</summary>
    /// <returns>The port.</returns>
    public static int Serve(StreamKind kind, Func<Stream, Task> serve)
    {
        Socket listener = Loopback.Listen();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                socket.NoDelay = true;
                _ = ServeAsync(kind, socket, serve);
            }
        });
        return Loopback.Port(listener);
    }

    private static async Task ServeAsync(StreamKind kind, Socket socket, Func<Stream, Task> serve)
    {
        try
        {
            await using Stream stream = await AcceptAsync(kind, socket);
            await serve(stream);
        }
        catch (IOException)
        {
            // The client closes by reset.
        }
    }

    private static KTlsOptions OptionsOf(StreamKind kind) => kind == StreamKind.Kernel ? InKernel : InUserSpace;
}
