using System.Net.Security;
using System.Net.Sockets;
using KTls.Bench.Connections;

namespace KTls.Bench.Streams;

/// <summary>The other end of a measured stream, a client in a process of its own; the kernel does for it what the kernel can.</summary>
internal static class StreamPeer
{
    /// <summary>What makes this program such a peer.</summary>
    public const string Command = "stream-peer";

    private const int BufferSize = 256 * 1024;

    /// <summary>One connection for each line on standard input: a <see cref="Traffic"/>, bytes of a message, how many.</summary>
    public static async Task RunAsync(int port)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, _, _, _) => true };

        // However often the measured end changes its keys.
        var often = new KTlsOptions { MaxKeyUpdatesPerSecond = 1_000_000 };
        while (Console.ReadLine()?.Split(' ') is [string traffic, string size, string count])
        {
            using Socket socket = Loopback.Connect(port);
            await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(socket, options, often);
            await PlayAsync(stream, Enum.Parse<Traffic>(traffic), int.Parse(size), int.Parse(count));

            // Whoever closes first may cut off what is still under way, so the measured end does.
            _ = await stream.ReadAsync(new byte[1]);
            Console.Out.WriteLine("done");
            Console.Out.Flush();
        }
    }

    private static async Task PlayAsync(KTlsStream stream, Traffic traffic, int size, int count)
    {
        byte[] message = new byte[size];
        switch (traffic)
        {
            case Traffic.Receive:
                await stream.ReadExactlyAsync(new byte[1]); // go
                for (int i = 0; i < count; i++)
                {
                    await stream.WriteAsync(message);
                }

                break;
            case Traffic.Send:
                byte[] buffer = new byte[BufferSize];
                for (long left = (long)size * count; left != 0;)
                {
                    int read = await stream.ReadAsync(buffer);
                    left -= read != 0 ? read : throw new EndOfStreamException();
                }

                await stream.WriteAsync(new byte[1]); // all received
                break;
            default:
                for (int i = 0; i < count; i++)
                {
                    await stream.ReadExactlyAsync(message);
                    await stream.WriteAsync(message);
                }

                break;
        }
    }
}
