using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KTls.Bench.Handshakes;

namespace KTls.Bench.Sites;

/// <summary>A client of sites, in a process of its own: one connection that is kept, one request after the other; the kernel opens what comes.</summary>
internal static class SitePeer
{
    /// <summary>What makes this program such a peer.</summary>
    public const string Command = "site-peer";

    /// <summary>One connection for each line on standard input: a port, a path, how many requests. Asks once before it says that it is ready.</summary>
    public static async Task RunAsync()
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning disable CA1416 // Linux only.
            CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]),
#pragma warning restore CA1416
        };
        byte[] buffer = new byte[2 << 20];
        while (Console.ReadLine()?.Split(' ') is [string port, string path, string count])
        {
            using Socket socket = Loopback.Connect(int.Parse(port, CultureInfo.InvariantCulture));
            await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(socket, options);
            byte[] request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await AskAsync(stream, request, buffer);
            Tell("ready");
            _ = Console.ReadLine();
            long bytes = 0;
            for (int left = int.Parse(count, CultureInfo.InvariantCulture); left != 0; left--)
            {
                bytes += await AskAsync(stream, request, buffer);
            }

            Tell(bytes.ToString(CultureInfo.InvariantCulture));
        }
    }

    // The length of the body.
    private static async Task<int> AskAsync(KTlsStream stream, byte[] request, byte[] buffer)
    {
        await stream.WriteAsync(request);
        int received = 0;
        int end;
        do
        {
            received += await ReadAsync(stream, buffer.AsMemory(received));
        }
        while ((end = buffer.AsSpan(0, received).IndexOf("\r\n\r\n"u8)) < 0);
        string head = Encoding.ASCII.GetString(buffer, 0, end + 2);
        const string Name = "\r\nContent-Length: ";
        int start = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase) + Name.Length;
        int length = int.Parse(head.AsSpan(start, head.IndexOf('\r', start) - start), CultureInfo.InvariantCulture);
        if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(head);
        }

        for (int left = length - (received - end - 4); left != 0;)
        {
            left -= await ReadAsync(stream, buffer.AsMemory(0, Math.Min(left, buffer.Length)));
        }

        return length;
    }

    private static async ValueTask<int> ReadAsync(KTlsStream stream, Memory<byte> buffer)
    {
        int read = await stream.ReadAsync(buffer);
        return read != 0 ? read : throw new EndOfStreamException();
    }

    private static void Tell(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
