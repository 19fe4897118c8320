using System.Buffers;
using System.Globalization;
using KTls.Bench.Connections;
using KTls.Bench.Sites;
using Microsoft.AspNetCore.Builder;

namespace KTls.Bench.Idle;

/// <summary>A server in a process of its own, whose memory is that of its connections. Writes its port, then for each line what it holds.</summary>
internal static class IdleServer
{
    /// <summary>What makes this program such a server.</summary>
    public const string Command = "idle-server";

    /// <summary>The whole of a message, and of a request.</summary>
    public const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static int _open;

    public static async Task RunAsync(IdleKind kind)
    {
        int port = kind is IdleKind.Kestrel or IdleKind.KTlsKestrel ? await StartSiteAsync(kind == IdleKind.KTlsKestrel) : StartStreams(kind);
        Console.Out.WriteLine(port.ToString(CultureInfo.InvariantCulture));
        Console.Out.Flush();
        while (Console.ReadLine()?.Split(' ') is [string connections])
        {
            // The client has its answers, and the server may still be on its way to the next read.
            while (Volatile.Read(ref _open) != int.Parse(connections, CultureInfo.InvariantCulture))
            {
                Thread.Sleep(10);
            }

            Thread.Sleep(500);
            Console.Out.WriteLine(Memory.Now().ToString());
            Console.Out.Flush();
        }
    }

    // What a server that means to hold many connections does: no buffer before there is something to read.
    private static int StartStreams(IdleKind kind) => BenchStreams.Serve(StreamKindOf(kind), async stream =>
    {
        Interlocked.Increment(ref _open);
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
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    });

    private static StreamKind StreamKindOf(IdleKind kind) => kind switch
    {
        IdleKind.Tcp => StreamKind.Plain,
        IdleKind.SslStream => StreamKind.SslStream,
        _ => StreamKind.Kernel,
    };

    private static async Task<int> StartSiteAsync(bool isKTls)
    {
        WebApplication site = BenchSite.Create(
            isKTls,
            limit: limits => limits.KeepAliveTimeout = TimeSpan.FromHours(1),
            listening: listen => listen.Use(next => async connection =>
            {
                Interlocked.Increment(ref _open);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref _open);
                }
            }));
        site.MapGet("/", () => "small");
        await site.StartAsync();
        return new Uri(site.Urls.First()).Port;
    }
}
