using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Win32.SafeHandles;

namespace KTls.Docs.Tests.Snippets;

/// <summary>The server of the README.</summary>
public sealed class Server
{
    [Fact]
    public async Task Sends_a_file_to_whoever_connects()
    {
        string path = Path.GetTempFileName();
        byte[] content = new byte[300_000];
        Random.Shared.NextBytes(content);
        await File.WriteAllBytesAsync(path, content);
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.DeleteOnClose);
        Task serving = ServeAsync(TestPki.Ecdsa, file);

        // Whoever speaks no TLS is sent away, and is not the server's end.
        using (var stranger = new TcpClient())
        {
            await stranger.ConnectAsync(IPAddress.Loopback, 8443);
            await stranger.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await AssertClosesAsync(stranger.GetStream());
        }

        for (int i = 0; i < 2; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, 8443);
            await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(socket, TestPki.Client());
            using var received = new MemoryStream();
            await stream.CopyToAsync(received);
            Assert.Equal(content, received.ToArray());
        }

        Assert.False(serving.IsCompleted, serving.Exception?.ToString());
    }

    private static async Task AssertClosesAsync(NetworkStream stream)
    {
        try
        {
            await stream.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }
    }

    private static async Task ServeAsync(X509Certificate2 certificate, SafeFileHandle file)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 8443));
        listener.Listen();
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
        while (true)
        {
            Socket socket = await listener.AcceptAsync();
            try
            {
                await using KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(socket, options);
                await stream.SendFileAsync(file, offset: 0, count: RandomAccess.GetLength(file));
                await stream.ShutdownAsync();
            }
            catch (Exception e)
            {
                Console.Error.WriteLine(e.Message);
                socket.Dispose(); // a handshake that fails leaves it open
            }
        }
    }
}
