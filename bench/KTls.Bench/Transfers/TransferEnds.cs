using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using KTls.Bench.Handshakes;
using KTls.Tests;
using Microsoft.Win32.SafeHandles;

namespace KTls.Bench.Transfers;

/// <summary>The two ends of a transfer, each a process of its own, which limit.c does the same way.</summary>
internal static class TransferEnds
{
    /// <summary>What makes this program an end; its role and kind follow.</summary>
    public const string Command = "transfer-end";

    public static Task RunAsync(string role, TransferKind kind) => role == "sender" ? SendAsync(kind) : ReceiveAsync(kind);

    // Writes its port; sends, for each line, so many times so many bytes from memory ("write") or from a file.
    private static async Task SendAsync(TransferKind kind)
    {
        SslServerAuthenticationOptions options = TestPki.Server();
        using Socket listener = Loopback.Listen();
        Tell(Loopback.Port(listener).ToString(CultureInfo.InvariantCulture));
        while (Console.ReadLine()?.Split(' ') is [string size, string count, string source])
        {
            Socket socket = Loopback.Accept(listener);
            await using Stream stream = await AuthenticateAsServerAsync(kind, socket, options);
            await stream.ReadExactlyAsync(new byte[1]);
            byte[] message = new byte[source == "write" ? int.Parse(size, CultureInfo.InvariantCulture) : 256 * 1024];
            for (long left = long.Parse(count, CultureInfo.InvariantCulture); left != 0; left--)
            {
                if (source == "write")
                {
                    await stream.WriteAsync(message);
                }
                else
                {
                    await SendFileAsync(stream, socket, source, message);
                }
            }

            // The other end closes first.
            await ReadEndAsync(stream);
        }
    }

    // For each line, connects, waits for the next, has the other end begin, and tells how many bytes came.
    private static async Task ReceiveAsync(TransferKind kind)
    {
        while (Console.ReadLine()?.Split(' ') is [string port, string size, string count, string room])
        {
            Socket socket = Loopback.Connect(int.Parse(port, CultureInfo.InvariantCulture));
            await using Stream stream = await AuthenticateAsClientAsync(kind, socket, BenchClient.Options);
            Tell("ready");
            _ = Console.ReadLine();
            byte[] buffer = new byte[int.Parse(room, CultureInfo.InvariantCulture)];
            await stream.WriteAsync(new byte[1]);
            long received = 0;
            for (long expected = long.Parse(size, CultureInfo.InvariantCulture) * long.Parse(count, CultureInfo.InvariantCulture); received != expected;)
            {
                int read = await stream.ReadAsync(buffer);
                received += read != 0 ? read : throw new EndOfStreamException();
            }

            Tell(received.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static async Task SendFileAsync(Stream stream, Socket socket, string path, byte[] buffer)
    {
        if (stream is NetworkStream)
        {
            await socket.SendFileAsync(path);
            return;
        }

        using SafeFileHandle file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        if (stream is KTlsStream kernel)
        {
            await kernel.SendFileAsync(file, 0, length);
            return;
        }

        for (long offset = 0; offset != length;)
        {
            int read = await RandomAccess.ReadAsync(file, buffer, offset);
            await stream.WriteAsync(buffer.AsMemory(0, read));
            offset += read;
        }
    }

    private static async Task ReadEndAsync(Stream stream)
    {
        try
        {
            _ = await stream.ReadAsync(new byte[1]);
        }
        catch (IOException)
        {
            // By a reset, so that no port is kept busy.
        }
    }

    private static async Task<Stream> AuthenticateAsServerAsync(TransferKind kind, Socket socket, SslServerAuthenticationOptions options)
    {
        switch (kind)
        {
            case TransferKind.Plain:
                return new NetworkStream(socket, ownsSocket: true);
            case TransferKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsServerAsync(options);
                return stream;
            default:
                return await KTlsStream.AuthenticateAsServerAsync(socket, options, new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        }
    }

    private static async Task<Stream> AuthenticateAsClientAsync(TransferKind kind, Socket socket, SslClientAuthenticationOptions options)
    {
        switch (kind)
        {
            case TransferKind.Plain:
                return new NetworkStream(socket, ownsSocket: true);
            case TransferKind.SslStream:
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsClientAsync(options);
                return stream;
            default:
                return await KTlsStream.AuthenticateAsClientAsync(socket, options, new KTlsOptions { DataPlane = DataPlanePolicy.RequireKernel });
        }
    }

    private static void Tell(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
