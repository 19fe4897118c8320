using System.Buffers;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using KTls.Bench.Handshakes;
using KTls.Bench.Sites;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;

namespace KTls.Bench.Idle;

/// <summary>A server in a process of its own, whose memory is that of its connections. Writes its port, then for each line what it holds.</summary>
internal static class IdleServer
{
    /// <summary>What makes this program such a server.</summary>
    public const string Command = "idle-server";

    /// <summary>The whole of a message, and of a request.</summary>
    public const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static int s_open;

    public static async Task RunAsync(IdleKind kind)
    {
        int port = kind is IdleKind.Kestrel or IdleKind.KTlsKestrel ? await StartSiteAsync(kind == IdleKind.KTlsKestrel) : StartStreams(kind);
        Console.Out.WriteLine(port.ToString(CultureInfo.InvariantCulture));
        Console.Out.Flush();
        while (Console.ReadLine()?.Split(' ') is [string connections])
        {
            // The client has its answers, and the server may still be on its way to the next read.
            while (Volatile.Read(ref s_open) != int.Parse(connections, CultureInfo.InvariantCulture))
            {
                Thread.Sleep(10);
            }

            Thread.Sleep(500);
            Console.Out.WriteLine(Memory.Now().ToString());
            Console.Out.Flush();
        }
    }

    private static int StartStreams(IdleKind kind)
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        Socket listener = Loopback.Listen();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                socket.NoDelay = true;
                _ = ServeAsync(kind, socket, options);
            }
        });
        return Loopback.Port(listener);
    }

    // What a server that means to hold many connections does: no buffer before there is something to read.
    private static async Task ServeAsync(IdleKind kind, Socket socket, SslServerAuthenticationOptions options)
    {
        await using Stream stream = await AuthenticateAsync(kind, socket, options);
        Interlocked.Increment(ref s_open);
        try
        {
            while (true)
            {
                _ = await stream.ReadAsync(Memory<byte>.Empty);
                byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
                int read = await stream.ReadAsync(buffer);
                if (read == 0)
                {
                    return;
                }

                await stream.WriteAsync(buffer.AsMemory(0, read));
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        catch (IOException)
        {
            // The client closes by reset.
        }
        finally
        {
            Interlocked.Decrement(ref s_open);
        }
    }

    private static async Task<Stream> AuthenticateAsync(IdleKind kind, Socket socket, SslServerAuthenticationOptions options)
    {
        switch (kind)
        {
            case IdleKind.Tcp:
                return new NetworkStream(socket, ownsSocket: true);
            case IdleKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsServerAsync(options);
                return stream;
            default:
                return await KTlsStream.AuthenticateAsServerAsync(socket, options, new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        }
    }

    private static async Task<int> StartSiteAsync(bool isKTls)
    {
        WebApplication site = BenchSite.Create(
            isKTls,
            limit: limits => limits.KeepAliveTimeout = TimeSpan.FromHours(1),
            listening: listen => listen.Use(next => async connection =>
            {
                Interlocked.Increment(ref s_open);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref s_open);
                }
            }));
        site.MapGet("/", () => "small");
        await site.StartAsync();
        return new Uri(site.Urls.First()).Port;
    }
}
