using System.Globalization;
using System.Net.Sockets;
using KTls.Bench.Connections;
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
        using Socket listener = Loopback.Listen();
        Tell(Loopback.Port(listener).ToString(CultureInfo.InvariantCulture));
        while (Console.ReadLine()?.Split(' ') is [string size, string count, string source])
        {
            Socket socket = Loopback.Accept(listener);
            await using Stream stream = await BenchStreams.AcceptAsync(StreamKindOf(kind), socket);
            await stream.ReadExactlyAsync(new byte[1]);
            byte[] message = new byte[source == "write" ? int.Parse(size, CultureInfo.InvariantCulture) : 256 * 1024];
            for (long left = long.Parse(count, CultureInfo.InvariantCulture); left != 0; left--)
            {
                if (kind is TransferKind.SslStream or TransferKind.Plain or TransferKind.KTls)
                {
                    Send(stream, source, message);
                }
                else if (source == "write")
                {
                    await stream.WriteAsync(message);
                }
                else
                {
                    await SendFileAsync(stream, source, message);
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
            await using Stream stream = await BenchStreams.ConnectAsync(StreamKindOf(kind), socket);
            Tell("ready");
            _ = Console.ReadLine();
            byte[] buffer = new byte[int.Parse(room, CultureInfo.InvariantCulture)];
            await stream.WriteAsync(new byte[1]);
            long received = 0;
            for (long expected = long.Parse(size, CultureInfo.InvariantCulture) * long.Parse(count, CultureInfo.InvariantCulture); received != expected;)
            {
                int read = kind is TransferKind.KTlsAsync or TransferKind.SslStreamAsync ? await stream.ReadAsync(buffer) : stream.Read(buffer, 0, buffer.Length);
                received += read != 0 ? read : throw new EndOfStreamException();
            }

            Tell(received.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void Send(Stream stream, string path, byte[] buffer)
    {
        if (path == "write")
        {
            stream.Write(buffer, 0, buffer.Length);
            return;
        }

        if (stream is NetworkStream plain)
        {
            plain.Socket.SendFile(path);
            return;
        }

        using SafeFileHandle file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        if (stream is KTlsStream kernel)
        {
            kernel.SendFile(file, 0, length);
            return;
        }

        for (long offset = 0; offset != length;)
        {
            int read = RandomAccess.Read(file, buffer, offset);
            stream.Write(buffer, 0, read);
            offset += read;
        }
    }

    private static async Task SendFileAsync(Stream stream, string path, byte[] buffer)
    {
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

    private static StreamKind StreamKindOf(TransferKind kind) => kind switch
    {
        TransferKind.Plain => StreamKind.Plain,
        TransferKind.SslStream or TransferKind.SslStreamAsync => StreamKind.SslStream,
        _ => StreamKind.Kernel,
    };

    private static void Tell(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
