using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Bench.Handshakes;

/// <summary>
/// The other end of a role that is measured alone, in a process of its own, the same one for all that is measured.
/// Commands come line by line on standard input, one answer each on standard output.
/// </summary>
internal static class PeerProgram
{
    public static void Run(string role)
    {
        BarePeer peer = role == "client"
            ? BarePeer.Client()
            : BarePeer.Server(X509CertificateLoader.LoadPkcs12(Convert.FromBase64String(Console.ReadLine()!), password: null));
        var sockets = new List<Socket>();
        using Socket listener = Loopback.Listen();
        Answer(Loopback.Port(listener).ToString());

        while (Console.ReadLine()?.Split(' ') is { } command)
        {
            switch (command)
            {
                case ["accept", string count]:
                    sockets.AddRange(Enumerable.Range(0, int.Parse(count)).Select(_ => Loopback.Accept(listener)));
                    break;
                case ["connect", string count, string port]:
                    sockets.AddRange(Enumerable.Range(0, int.Parse(count)).Select(_ => Loopback.Connect(int.Parse(port))));
                    break;
                case ["handshake", string concurrency]:
                    ShakeHands(peer, sockets, int.Parse(concurrency));
                    break;
                case ["close"]:
                    sockets.ForEach(socket => socket.Dispose());
                    sockets.Clear();
                    break;
                default:
                    throw new InvalidOperationException($"What is '{string.Join(' ', command)}'?");
            }

            Answer("done");
        }
    }

    private static void Answer(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    // Each thread takes every n-th socket, as the workers of the measured process do.
    private static void ShakeHands(BarePeer peer, List<Socket> sockets, int concurrency)
    {
        var threads = new Thread[concurrency];
        for (int i = 0; i < concurrency; i++)
        {
            int first = i;
            threads[i] = new Thread(() =>
            {
                for (int n = first; n < sockets.Count; n += concurrency)
                {
                    peer.ShakeHands(sockets[n]);
                }
            });
            threads[i].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
    }
}
