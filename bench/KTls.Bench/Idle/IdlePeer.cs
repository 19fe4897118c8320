using System.Globalization;
using System.Text;
using KTls.Bench.Connections;

namespace KTls.Bench.Idle;

/// <summary>
/// A client in a process of its own that holds connections: each asks once and is silent until it is told to ask again. It seals in user space, so that the
/// kernel's memory for TLS is the server's alone.
/// </summary>
internal static class IdlePeer
{
    /// <summary>What makes this program such a peer.</summary>
    public const string Command = "idle-peer";

    private static readonly byte[] Request = Encoding.ASCII.GetBytes(IdleServer.Request);
    private static readonly byte[] Answer = new byte[4096];

    /// <summary>
    /// The first line is a port and "plain" or "tls". For "hold N" it has that many connections then; for "ask N" it asks so often, on
    /// all connections in turn. The line is the answer.
    /// </summary>
    public static async Task RunAsync()
    {
        string[] server = Console.ReadLine()!.Split(' ');
        int port = int.Parse(server[0], CultureInfo.InvariantCulture);
        var streams = new List<Stream>();
        while (Console.ReadLine() is { } line)
        {
            int number = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            if (line.StartsWith("hold", StringComparison.Ordinal))
            {
                await HoldAsync(streams, number, port, isPlain: server[1] == "plain");
            }
            else
            {
                for (int i = 0; i < number; i++)
                {
                    await AskAsync(streams[i % streams.Count]);
                }
            }

            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    private static async Task HoldAsync(List<Stream> streams, int count, int port, bool isPlain)
    {
        for (; streams.Count > count; streams.RemoveAt(streams.Count - 1))
        {
            await streams[^1].DisposeAsync();
        }

        while (streams.Count < count)
        {
            Stream stream = await BenchStreams.ConnectAsync(isPlain ? StreamKind.Plain : StreamKind.UserSpace, Loopback.Connect(port));
            await AskAsync(stream);
            streams.Add(stream);
        }
    }

    // What is sent back is no longer than a record, so it comes at once.
    private static async Task AskAsync(Stream stream)
    {
        await stream.WriteAsync(Request);
        if (await stream.ReadAsync(Answer) == 0)
        {
            throw new EndOfStreamException();
        }
    }
}
