using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KTls.Interop.Tests;

/// <summary>curl against our server.</summary>
public sealed class CurlTests
{
    public static TheoryData<TlsCipherSuite> Suites => Scenario.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task Upload_and_download(TlsCipherSuite suite)
    {
        byte[] upload = Scenario.RandomText(Scenario.Size);
        byte[] download = Scenario.RandomText(Scenario.Size);
        using Socket listener = Scenario.Listen(out int port);
        using PeerProcess peer = PeerProcess.Start(
            "curl", "--silent", "--show-error", "--http1.1", "--max-time", "60", "--cacert", Scenario.RootFile, "--tls13-ciphers", suite.ToString(),
            "--resolve", $"localhost:{port}:127.0.0.1", "--header", "Expect:", "--upload-file", "-", "--header", $"Content-Length: {upload.Length}",
            "--header", "Transfer-Encoding:", $"https://localhost:{port}/");
        Task sending = SendAllAsync(peer, upload);
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ApplicationProtocols = [SslApplicationProtocol.Http11];
        await using KTlsStream ours = await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), server, Scenario.Kernel);
        Assert.Equal(DataPlaneKind.Kernel, ours.Sending.Kind);
        Assert.Equal(SslApplicationProtocol.Http11, ours.NegotiatedApplicationProtocol);

        byte[] body = await ReadRequestAsync(ours, upload.Length);
        await sending;

        // curl's request comes with its Finished, so the first records are opened in user space.
        Scenario.AssertKernel(ours, suite);
        Assert.True(upload.AsSpan().SequenceEqual(body));
        await ours.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {download.Length}\r\nConnection: close\r\n\r\n"));
        await ours.WriteAsync(download);
        await ours.ShutdownAsync();
        Scenario.AssertSame(download, await peer.FinishAsync(), await peer.ErrorsAsync());
        Assert.Equal(0, await ours.ReadAsync(new byte[1]));
        Assert.True(ours.CloseNotifyReceived);
    }

    private static async Task SendAllAsync(PeerProcess peer, byte[] data)
    {
        await peer.SendAsync(data);
        peer.CloseInput();
    }

    private static async Task<byte[]> ReadRequestAsync(KTlsStream stream, int bodyLength)
    {
        var received = new MemoryStream();
        byte[] buffer = new byte[32 * 1024];
        int headEnd = -1;
        while (headEnd < 0 || received.Length < headEnd + bodyLength)
        {
            int read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.NotEqual(0, read);
            received.Write(buffer, 0, read);
            if (headEnd < 0)
            {
                int found = received.ToArray().AsSpan().IndexOf("\r\n\r\n"u8);
                headEnd = found < 0 ? -1 : found + 4;
            }
        }

        return received.ToArray()[headEnd..];
    }
}
