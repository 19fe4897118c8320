using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using KTls.Bench.Connections;

namespace KTls.Bench.Latency;

/// <summary>The two ends of a conversation, each a process of its own: one asks and waits for the answer, which the other gives at once.</summary>
internal static class LatencyEnds
{
    /// <summary>What makes this program an end; its role and kind follow.</summary>
    public const string Command = "latency-end";

    public static Task RunAsync(string role, StreamKind kind) => role == "server" ? ServeAsync(kind) : AskAsync(kind);

    // Writes its port, and answers until its input ends.
    private static Task ServeAsync(StreamKind kind)
    {
        int port = BenchStreams.Serve(kind, async stream =>
        {
            byte[] buffer = new byte[1 << 16];
            byte[] head = new byte[sizeof(int)];
            await stream.ReadExactlyAsync(head);
            Memory<byte> message = buffer.AsMemory(0, BitConverter.ToInt32(head));
            while (true)
            {
                await stream.ReadExactlyAsync(message);
                await stream.WriteAsync(message);
            }
        });
        Tell(port.ToString(CultureInfo.InvariantCulture));
        _ = Console.ReadLine();
        return Task.CompletedTask;
    }

    // For each line, a port, a size and a number: how long each round took, in nanoseconds, as so many percent were not longer.
    private static async Task AskAsync(StreamKind kind)
    {
        while (Console.ReadLine()?.Split(' ') is [string port, string size, string count])
        {
            Socket socket = Loopback.Connect(int.Parse(port, CultureInfo.InvariantCulture));
            await using Stream stream = await BenchStreams.ConnectAsync(kind, socket);
            byte[] message = new byte[int.Parse(size, CultureInfo.InvariantCulture)];
            await stream.WriteAsync(BitConverter.GetBytes(message.Length));
            long[] rounds = new long[int.Parse(count, CultureInfo.InvariantCulture)];
            for (int i = -rounds.Length / 10; i < rounds.Length; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                await stream.WriteAsync(message);
                await stream.ReadExactlyAsync(message);
                if (i >= 0)
                {
                    rounds[i] = Stopwatch.GetElapsedTime(begin).Ticks * TimeSpan.NanosecondsPerTick;
                }
            }

            Array.Sort(rounds);
            Tell(string.Join(' ', LatencyScenario.Percentiles.Select(percent => rounds[(int)Math.Ceiling(rounds.Length * percent / 100) - 1])));
        }
    }

    private static void Tell(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
