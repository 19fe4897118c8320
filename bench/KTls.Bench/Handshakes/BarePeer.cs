using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>
/// The other end of a role that is measured alone, in a process of its own: our handshake without I/O on blocking sockets and
/// without a verdict on the certificate. That is the cheapest peer there is here, so it disturbs the measured process least.
/// Commands come line by line on standard input, one answer each on standard output.
/// </summary>
internal static class BarePeer
{
    public static void Serve(string role)
    {
        ServerHandshakeOptions? serverOptions = role == "server" ? ReadServerOptions() : null;
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
                    ShakeHands(sockets, int.Parse(concurrency), serverOptions);
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

    private static ServerHandshakeOptions ReadServerOptions()
    {
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(Convert.FromBase64String(Console.ReadLine()!), password: null);
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(certificate, [], offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? new ServerHandshakeOptions { Credential = credential }
            : throw new InvalidOperationException(reason);
    }

    // Each thread takes every n-th socket, as the workers of the measured process do.
    private static void ShakeHands(List<Socket> sockets, int concurrency, ServerHandshakeOptions? serverOptions)
    {
        var threads = new Thread[concurrency];
        for (int i = 0; i < concurrency; i++)
        {
            int first = i;
            threads[i] = new Thread(() =>
            {
                byte[] buffer = new byte[RecordHeader.Size + RecordHeader.MaxCiphertext];
                for (int n = first; n < sockets.Count; n += concurrency)
                {
                    using TlsHandshake handshake = serverOptions is null
                        ? new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost" })
                        : new ServerHandshake();
                    Run(handshake, sockets[n], serverOptions, buffer);
                }
            });
            threads[i].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
    }

    private static void Run(TlsHandshake handshake, Socket socket, ServerHandshakeOptions? serverOptions, byte[] buffer)
    {
        int start = 0;
        int end = 0;
        while (true)
        {
            if (!handshake.Output.IsEmpty)
            {
                socket.Send(handshake.Output.Span);
                handshake.OutputSent();
            }

            switch (handshake.Status)
            {
                case HandshakeStatus.NeedsServerOptions:
                    ((ServerHandshake)handshake).Accept(serverOptions!);
                    break;
                case HandshakeStatus.NeedsCertificateVerdict:
                    ((ClientHandshake)handshake).AcceptPeerCertificate();
                    break;
                case HandshakeStatus.NeedsRecord:
                    ReceiveRecord(handshake, socket, buffer, ref start, ref end);
                    break;
                default:
                    return;
            }
        }
    }

    private static void ReceiveRecord(TlsHandshake handshake, Socket socket, byte[] buffer, ref int start, ref int end)
    {
        while (end - start < RecordHeader.Size || end - start < RecordHeader.Read(buffer.AsSpan(start)).RecordLength)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
            int received = socket.Receive(buffer.AsSpan(end));
            end += received != 0 ? received : throw new IOException("The measured process closed the connection during the handshake.");
        }

        int length = RecordHeader.Read(buffer.AsSpan(start)).RecordLength;
        handshake.ReceiveRecord(buffer.AsSpan(start, length));
        start += length;
    }
}
