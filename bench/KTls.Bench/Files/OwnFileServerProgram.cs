using System.Globalization;
using System.Net.Sockets;
using System.Text;
using KTls.Bench.Connections;
using KTls.Bench.Sites;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;

namespace KTls.Bench.Files;

/// <summary>The program behind <see cref="OwnFileServer"/>: serves the files of a folder over HTTP/1.1 until its input ends.</summary>
internal static class OwnFileServerProgram
{
    /// <summary>What makes this program such a server.</summary>
    public const string Command = "file-server";

    private const int BufferSize = 256 * 1024;

    public static async Task RunAsync(OwnFileServerKind kind, string folder)
    {
        // .NET locks each file that it opens (flock), for two system calls; no other server here does.
        AppContext.SetSwitch("System.IO.DisableFileLocking", true);
        int port = kind is OwnFileServerKind.Kestrel or OwnFileServerKind.KTlsKestrel
            ? await StartSiteAsync(kind == OwnFileServerKind.KTlsKestrel, folder)
            : Start(kind, folder);
        Console.Out.WriteLine(port.ToString(CultureInfo.InvariantCulture));
        Console.Out.Flush();
        _ = Console.ReadLine();
    }

    private static int Start(OwnFileServerKind kind, string folder) => BenchStreams.Serve(StreamKindOf(kind), async stream =>
    {
        byte[] request = new byte[4096];
        byte[] buffer = new byte[BufferSize];
        while (await ReadRequestAsync(stream, request) is { } path)
        {
            await SendAsync(kind, stream, folder + path, buffer);
        }
    });

    private static StreamKind StreamKindOf(OwnFileServerKind kind) => kind switch
    {
        OwnFileServerKind.Plain => StreamKind.Plain,
        OwnFileServerKind.SslStream => StreamKind.SslStream,
        OwnFileServerKind.KTlsUserSpace => StreamKind.UserSpace,
        _ => StreamKind.Kernel,
    };

    // The path of a GET; null at the end. The client sends one request at a time.
    private static async Task<string?> ReadRequestAsync(Stream stream, byte[] buffer)
    {
        int received = 0;
        while (received < 4 || !buffer.AsSpan(0, received).EndsWith("\r\n\r\n"u8))
        {
            int read = await stream.ReadAsync(buffer.AsMemory(received));
            if (read == 0)
            {
                return null;
            }

            received += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, received).Split(' ')[1];
    }

    private static async Task SendAsync(OwnFileServerKind kind, Stream stream, string path, byte[] buffer)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
        switch (kind)
        {
            case OwnFileServerKind.KTlsSendFile:
                await ((KTlsStream)stream).SendFileAsync(file, 0, length);
                break;
            case OwnFileServerKind.Plain:
                // Linux' sendfile, as .NET has it.
                await ((NetworkStream)stream).Socket.SendFileAsync(path);
                break;
            default:
                for (long offset = 0; offset != length;)
                {
                    int read = await RandomAccess.ReadAsync(file, buffer, offset);
                    await stream.WriteAsync(buffer.AsMemory(0, read));
                    offset += read;
                }

                break;
        }
    }

    private static async Task<int> StartSiteAsync(bool isKTls, string folder)
    {
        WebApplication site = BenchSite.Create(isKTls);
        site.MapGet("/{name}", (string name) => Results.File(Path.Combine(folder, name)));
        await site.StartAsync();
        return new Uri(site.Urls.First()).Port;
    }
}
