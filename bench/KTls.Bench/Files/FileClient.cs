using System.Globalization;
using System.Net.Sockets;
using System.Text;
using KTls.Bench.Connections;

namespace KTls.Bench.Files;

/// <summary>
/// The client of all servers of files, in a process of its own: one connection that is kept where the server keeps it, one request
/// after the other; the kernel opens what comes.
/// </summary>
internal sealed class FileClient : IDisposable
{
    /// <summary>What makes this program such a client.</summary>
    public const string Command = "file-client";

    private readonly ChildProcess _process = new(Role.Peer, Command);

    public TimeSpan Cpu() => ProcessTime.Of(_process.Id);

    /// <summary>Asks once, then begins to measure and asks so often.</summary>
    /// <returns>The length of all the bodies.</returns>
    public long Run(int port, bool isTls, string path, int count, Action begin)
    {
        _process.Tell($"{port} {(isTls ? "tls" : "plain")} {path} {count}");
        if (_process.Answer() is var answer && answer != "ready")
        {
            throw new InvalidOperationException($"The client says '{answer}'.");
        }

        begin();
        _process.Tell("go");
        return long.Parse(_process.Answer(), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _process.Dispose();

    /// <summary>What the child does: one connection for each line on standard input.</summary>
    public static async Task PlayAsync()
    {
        byte[] buffer = new byte[2 << 20];
        while (Console.ReadLine()?.Split(' ') is [string port, string kind, string path, string count])
        {
            byte[] request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            Stream stream = await ConnectAsync();
            (_, bool isKept) = await AskAsync(stream, request, buffer);
            Tell("ready");
            _ = Console.ReadLine();
            long bytes = 0;
            for (int left = int.Parse(count, CultureInfo.InvariantCulture); left != 0; left--)
            {
                if (!isKept)
                {
                    await stream.DisposeAsync();
                    stream = await ConnectAsync();
                }

                (long length, isKept) = await AskAsync(stream, request, buffer);
                bytes += length;
            }

            await stream.DisposeAsync();
            Tell(bytes.ToString(CultureInfo.InvariantCulture));

            async Task<Stream> ConnectAsync()
            {
                Socket socket = Loopback.Connect(int.Parse(port, CultureInfo.InvariantCulture));
                return kind == "plain" ? new NetworkStream(socket, ownsSocket: true) : await KTlsStream.AuthenticateAsClientAsync(socket, BenchClient.Options);
            }
        }
    }

    // The length of the body, and whether the connection can be asked again: a body without Content-Length ends with it.
    private static async Task<(long Length, bool IsKept)> AskAsync(Stream stream, byte[] request, byte[] buffer)
    {
        await stream.WriteAsync(request);
        int received = 0;
        int end;
        do
        {
            int read = await stream.ReadAsync(buffer.AsMemory(received));
            received += read != 0 ? read : throw new EndOfStreamException();
        }
        while ((end = buffer.AsSpan(0, received).IndexOf("\r\n\r\n"u8)) < 0);
        string head = Encoding.ASCII.GetString(buffer, 0, end + 2);
        if (!head.Split('\r')[0].Contains(" 200 ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(head);
        }

        const string Name = "\r\nContent-Length: ";
        int start = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase) + Name.Length;
        long? length = start < Name.Length ? null : long.Parse(head.AsSpan(start, head.IndexOf('\r', start) - start), CultureInfo.InvariantCulture);
        long body = received - end - 4;
        while (length is null || body < length)
        {
            int read = await stream.ReadAsync(buffer);
            if (read == 0)
            {
                return length is null ? (body, false) : throw new EndOfStreamException();
            }

            body += read;
        }

        return (body, length is not null);
    }

    private static void Tell(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
