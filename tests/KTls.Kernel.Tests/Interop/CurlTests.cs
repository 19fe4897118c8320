using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>Our server over the kernel, and curl: a body each way, the answer's end told by close_notify alone.</summary>
public sealed class CurlTests
{
    [Theory]
    [MemberData(nameof(InKernel.Matrix), MemberType = typeof(InKernel))]
    public async Task Posts_a_body_and_gets_one(TlsCipherSuite suite, string key, NamedGroup group)
    {
        using var folder = new PeerFolder(key);
        using var listener = new PeerListener();
        var counters = new KernelCounters();
        byte[] toUs = RandomNumberGenerator.GetBytes(PeerExchange.Size);
        byte[] toPeer = RandomNumberGenerator.GetBytes(PeerExchange.Size);
        await using PeerProcess peer = PeerProcess.Start(
            "curl",
            [
                "-q", "--verbose", "--no-progress-meter", "--noproxy", "*", "--http1.1", "--max-time", "50",
                "--resolve", $"localhost:{listener.Port}:127.0.0.1", "--cacert", folder.RootFile,
                "--tlsv1.3", "--tls13-ciphers", suite.ToString(), "--curves", OpenSsl.Name(group),
                "--header", "Expect:", "--data-binary", "@" + folder.Write("body", toUs), $"https://localhost:{listener.Port}/",
            ]);
        await using KTlsStream ours = await listener.AcceptAsync(PeerPki.Server(suite, key));
        InKernel.Check(ours, suite, group);
        PeerExchange.CheckSame(toUs, await ReadRequestAsync(ours));
        await ours.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray()).Soon();
        Task<byte[]> atPeer = peer.ReadAsync(toPeer.Length);
        await ours.WriteAsync(toPeer).Soon();
        await ours.ShutdownAsync().Soon();
        PeerExchange.CheckSame(toPeer, await atPeer);
        await InKernel.CheckEndAsync(ours);

        Assert.True(await peer.EndAsync() == 0, peer.Said);
        Assert.Contains($"TLSv1.3 / {suite}", peer.Said, StringComparison.Ordinal);
        Assert.Contains("server accepted http/1.1", peer.Said, StringComparison.Ordinal);
        counters.CheckConnections(1);
    }

    private static async Task<byte[]> ReadRequestAsync(KTlsStream ours)
    {
        byte[] buffer = new byte[2 * PeerExchange.Size];
        int length = 0;
        int head;
        while ((head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = await ours.ReadAsync(buffer.AsMemory(length)).Soon();
            Assert.NotEqual(0, read);
            length += read;
        }

        const string ContentLength = "Content-Length: ";
        string line = Encoding.ASCII.GetString(buffer, 0, head).Split("\r\n").Single(line => line.StartsWith(ContentLength, StringComparison.OrdinalIgnoreCase));
        int bodyLength = int.Parse(line[ContentLength.Length..], CultureInfo.InvariantCulture);
        int bodyStart = head + 4;
        await ours.ReadExactlyAsync(buffer.AsMemory(length, bodyStart + bodyLength - length)).Soon();
        return buffer[bodyStart..(bodyStart + bodyLength)];
    }
}
