using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KTls.Bench.Handshakes;

namespace KTls.Bench.Idle;

/// <summary>
/// A client in a process of its own that holds connections: each asks once and is silent then. It seals in user space, so that the
/// kernel's memory for TLS is the server's alone.
/// </summary>
internal static class IdlePeer
{
    /// <summary>What makes this program such a peer.</summary>
    public const string Command = "idle-peer";

    /// <summary>For each line, a port, "plain" or "tls", and a number: has that many connections then, and says so.</summary>
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
        var inUserSpace = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace };
        byte[] request = Encoding.ASCII.GetBytes(IdleServer.Request);
        byte[] answer = new byte[4096];
        var streams = new List<Stream>();
        while (Console.ReadLine()?.Split(' ') is [string port, string kind, string count])
        {
            int wanted = int.Parse(count, CultureInfo.InvariantCulture);
            for (; streams.Count > wanted; streams.RemoveAt(streams.Count - 1))
            {
                await streams[^1].DisposeAsync();
            }

            while (streams.Count < wanted)
            {
                Socket socket = Loopback.Connect(int.Parse(port, CultureInfo.InvariantCulture));
                Stream stream = kind == "plain" ? new NetworkStream(socket, ownsSocket: true) : await KTlsStream.AuthenticateAsClientAsync(socket, options, inUserSpace);
                await stream.WriteAsync(request);
                if (await stream.ReadAsync(answer) == 0)
                {
                    throw new EndOfStreamException();
                }

                streams.Add(stream);
            }

            Console.Out.WriteLine(count);
            Console.Out.Flush();
        }
    }
}
