using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KTls.Bench.Handshakes;
using KTls.Bench.Sites;
using KTls.Tests;
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
        int port = kind is OwnFileServerKind.Kestrel or OwnFileServerKind.KTlsKestrel
            ? await StartSiteAsync(kind == OwnFileServerKind.KTlsKestrel, folder)
            : Start(kind, folder);
        Console.Out.WriteLine(port.ToString(CultureInfo.InvariantCulture));
        Console.Out.Flush();
        _ = Console.ReadLine();
    }

    private static int Start(OwnFileServerKind kind, string folder)
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        Socket listener = Loopback.Listen();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                socket.NoDelay = true;
                _ = ServeAsync(kind, socket, options, folder);
            }
        });
        return Loopback.Port(listener);
    }

    private static async Task ServeAsync(OwnFileServerKind kind, Socket socket, SslServerAuthenticationOptions options, string folder)
    {
        try
        {
            await using Stream stream = await AuthenticateAsync(kind, socket, options);
            byte[] request = new byte[4096];
            byte[] buffer = new byte[BufferSize];
            while (await ReadRequestAsync(stream, request) is { } path)
            {
                await SendAsync(kind, stream, socket, folder + path, buffer);
            }
        }
        catch (IOException)
        {
            // The client closes by reset.
        }
    }

    private static async Task<Stream> AuthenticateAsync(OwnFileServerKind kind, Socket socket, SslServerAuthenticationOptions options)
    {
        switch (kind)
        {
            case OwnFileServerKind.Plain:
                return new NetworkStream(socket, ownsSocket: true);
            case OwnFileServerKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsServerAsync(options);
                return stream;
            default:
                DataPlanePolicy plane = kind == OwnFileServerKind.KTlsUserSpace ? DataPlanePolicy.UserSpace : DataPlanePolicy.RequireKernel;
                return await KTlsStream.AuthenticateAsServerAsync(socket, options, new KTlsOptions { DataPlane = plane });
        }
    }

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

    private static async Task SendAsync(OwnFileServerKind kind, Stream stream, Socket socket, string path, byte[] buffer)
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
                await socket.SendFileAsync(path);
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
