using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using FileServer.Tests.Support;
using KTls;

namespace FileServer.Tests.EndToEnd;

/// <summary>Clients that are slow, rude or gone, and how connections end.</summary>
public sealed class ConnectionTests
{
    private const string Get = "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n";
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    public static TheoryData<DataPlanePolicy> DataPlanes => [DataPlanePolicy.PreferKernel, DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream];

    [Fact]
    public async Task Survives_garbage_instead_of_a_client_hello()
    {
        await using TestServer server = Start();
        byte[][] openings = ["GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), new byte[1000], [22, 3, 1, 255, 255, 1], [], RandomNumberGenerator.GetBytes(100_000)];
        foreach (byte[] opening in openings)
        {
            using Socket socket = await RawClient.ConnectTcpAsync(server.EndPoint);
            try
            {
                await socket.SendAsync(opening);
                socket.Shutdown(SocketShutdown.Send);
                byte[] answer = new byte[1000];
                while (await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(20)) != 0)
                {
                }
            }
            catch (SocketException)
            {
                // Reset: as good as closed.
            }
        }

        for (int i = 0; server.CountLines("handshake failed") < openings.Length; i++)
        {
            Assert.True(i < 500, $"{server.CountLines("handshake failed")} lines for {openings.Length} failures");
            await Task.Delay(20);
        }

        await AssertServesAsync(server);
    }

    [Fact]
    public async Task Survives_resets()
    {
        await using TestServer server = Start();
        for (int i = 0; i < 20; i++)
        {
            Socket socket = await RawClient.ConnectTcpAsync(server.EndPoint);
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }

        for (int i = 0; i < 5; i++)
        {
            using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
            await client.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
            await client.Stream.ReadExactlyAsync(new byte[10_000]);
            client.Socket.LingerState = new LingerOption(true, 0);
            client.Socket.Dispose();
        }

        await server.LogLineAsync("end: the connection broke");
        await AssertServesAsync(server);
    }

    [Fact]
    public async Task A_handshake_that_stalls_is_ended()
    {
        await using TestServer server = Start(new Settings { HandshakeTimeout = Short });
        using Socket socket = await RawClient.ConnectTcpAsync(server.EndPoint);
        await socket.SendAsync(new byte[] { 22, 3, 1, 0, 100, 1, 0 });
        await AssertEndsAsync(socket);
        Assert.Contains("longer than", await server.LogLineAsync("handshake failed"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task An_idle_connection_is_ended_by_close_notify(DataPlanePolicy plane)
    {
        await using TestServer server = Start(new Settings { IdleTimeout = Short, DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync(Get);
        Assert.EndsWith("file a", await client.ReadResponseAsync(), StringComparison.Ordinal);
        Assert.Equal(string.Empty, await client.ReadToEndAsync());
        await server.LogLineAsync("requests=1 bytes=6 ");
        await server.LogLineAsync("end: no request for 1 s");
    }

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task Half_a_request_gets_408(DataPlanePolicy plane)
    {
        await using TestServer server = Start(new Settings { IdleTimeout = Short, DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync("GET /a.txt HTT");
        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await server.LogLineAsync("end: half a request for 1 s");
    }

    // One byte now and then must not keep a connection for ever.
    [Fact]
    public async Task A_request_that_drips_is_ended()
    {
        await using TestServer server = Start(new Settings { IdleTimeout = Short });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
        Task<string> answer = client.ReadToEndAsync();
        for (int i = 0; i < 100 && !answer.IsCompleted; i++)
        {
            try
            {
                await client.SendAsync("G");
            }
            catch (IOException)
            {
                break;
            }

            await Task.WhenAny(answer, Task.Delay(200));
        }

        Assert.StartsWith("HTTP/1.1 408 ", await answer.WaitAsync(TimeSpan.FromSeconds(10)), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task A_client_that_takes_nothing_is_cut_off(DataPlanePolicy plane)
    {
        await using TestServer server = Start(new Settings { IdleTimeout = Short, DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBuffer: 4096);
        await client.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.True(ServerHolds(client.Socket));
        await server.LogLineAsync("end: the client took nothing for 1 s");
        for (int i = 0; ServerHolds(client.Socket); i++)
        {
            Assert.True(i < 100, "The server's socket is still there.");
            await Task.Delay(50);
        }

        await Assert.ThrowsAnyAsync<IOException>(async () => await client.Stream.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromSeconds(30)));
    }

    // 250 kB/s. It takes less within the idle timeout than what must go before the kernel takes more, if its send buffer is full (some
    // 1.2 MB); and stops at the end for longer than the server lingers.
    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task A_slow_client_gets_everything(DataPlanePolicy plane)
    {
        const int Size = 4_000_000;
        await using TestServer server = Start(new Settings { IdleTimeout = TimeSpan.FromSeconds(4), DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBuffer: 64 * 1024);
        await client.SendAsync($"GET /large.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=0-{Size - 1}\r\nConnection: close\r\n\r\n");
        using var all = new MemoryStream(2 * Size);
        byte[] buffer = new byte[16 * 1024];
        try
        {
            int next = 0;
            int count;
            while ((count = await client.Stream.ReadAsync(buffer)) != 0)
            {
                all.Write(buffer, 0, count);
                if (all.Length > next)
                {
                    next += 125_000;
                    await Task.Delay(next < Size ? 500 : 2500);
                }
            }
        }
        catch (IOException)
        {
            // The server's log says more, see below.
        }

        byte[] wanted = File.ReadAllBytes(server.Folder["large.bin"])[..Size];
        Assert.True(all.ToArray().AsSpan().EndsWith(wanted), $"{all.Length} bytes came. " + await server.LogLineAsync("end: "));
    }

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task A_file_that_shrinks_breaks_the_connection(DataPlanePolicy plane)
    {
        await using TestServer server = Start(new Settings { DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBuffer: 4096);
        await client.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
        await client.Stream.ReadExactlyAsync(new byte[1000]);
        using (FileStream file = File.OpenWrite(server.Folder["large.bin"]))
        {
            file.SetLength(1_000_000);
        }

        await Assert.ThrowsAnyAsync<IOException>(async () => await client.Stream.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromSeconds(30)));
        await server.LogLineAsync("end: large.bin ended ");
    }

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task A_client_that_closes_its_half_still_gets_its_answer(DataPlanePolicy plane)
    {
        await using TestServer server = Start(new Settings { DataPlane = plane });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n" + Get);
        await client.Stream.ShutdownAsync();
        client.Socket.Shutdown(SocketShutdown.Send);
        string answer = await client.ReadToEndAsync();
        Assert.EndsWith("file a", answer, StringComparison.Ordinal);
        Assert.True(answer.Length > LargeSize);
        await server.LogLineAsync("end: the client closed ");
    }

    [Fact]
    public async Task Control_characters_of_a_client_do_not_reach_the_log()
    {
        await using TestServer server = Start();
        try
        {
            using RawClient client = await RawClient.ConnectAsync(server.EndPoint, host: "a.example");
            await client.SendAsync(Get);
            await client.ReadResponseAsync();
        }
        catch (AuthenticationException)
        {
        }

        Assert.Contains("SNI=a.example ", await server.LogLineAsync("requests=1 "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_over_the_limit_wait_for_their_turn()
    {
        await using TestServer server = Start(new Settings { MaxConnections = 2 });
        RawClient first = await RawClient.ConnectAsync(server.EndPoint);
        using RawClient second = await RawClient.ConnectAsync(server.EndPoint);
        Task<RawClient> third = RawClient.ConnectAsync(server.EndPoint);
        await server.LogLineAsync("as many as --max-connections allows");
        await Task.Delay(300);
        Assert.False(third.IsCompleted);
        await first.Stream.ShutdownAsync();
        first.Dispose();
        using RawClient served = await third;
        await served.SendAsync(Get);
        Assert.EndsWith("file a", await served.ReadResponseAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_ends_idle_connections_and_finishes_running_requests()
    {
        // More than TCP buffers at most (tcp_wmem: 4 MiB), and little more, for a request that runs has five seconds from the stop on.
        const int Size = 5_000_000;
        await using TestServer server = Start();
        server.Folder.Write("running.bin", new byte[Size]);
        using RawClient idle = await RawClient.ConnectAsync(server.EndPoint);

        // The answer shows that the server, too, has completed the handshake: one that is under way is broken off by a stop.
        await idle.SendAsync(Get);
        Assert.EndsWith("file a", await idle.ReadResponseAsync(), StringComparison.Ordinal);
        using RawClient busy = await RawClient.ConnectAsync(server.EndPoint, receiveBuffer: 64 * 1024);
        await busy.SendAsync("GET /running.bin HTTP/1.1\r\nHost: h\r\n\r\n");
        await busy.Stream.ReadExactlyAsync(new byte[1000]);
        server.Stop();
        Assert.Equal(string.Empty, await idle.ReadToEndAsync());
        Assert.False(server.Stopped.IsCompleted);
        await server.LogLineAsync("Stopping"); // written once the listener is closed, which idle connections may see the end of before
        await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectTcpAsync(server.EndPoint));
        var rest = new MemoryStream();
        await busy.Stream.CopyToAsync(rest).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(rest.Length + 1000 > Size);
        await server.Stopped.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_a_client_that_takes_nothing()
    {
        await using TestServer server = Start();
        using RawClient busy = await RawClient.ConnectAsync(server.EndPoint, receiveBuffer: 4096);
        await busy.SendAsync("GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n");
        await busy.Stream.ReadExactlyAsync(new byte[1000]);
        server.Stop();
        await server.Stopped.WaitAsync(TimeSpan.FromSeconds(20));
        await server.LogLineAsync("end: the server stops and waits no longer");
    }

    private const int LargeSize = 12_000_000;

    private static TestServer Start(Settings? settings = null)
    {
        var server = new TestServer(settings);
        server.Folder.Write("a.txt", "file a");
        server.Folder.Write("large.bin", RandomNumberGenerator.GetBytes(LargeSize));
        return server;
    }

    // Whether the server's end of a connection exists, going by the kernel's table: the third column is the remote address.
    private static bool ServerHolds(Socket client)
    {
        string port = ((IPEndPoint)client.LocalEndPoint!).Port.ToString("X4", CultureInfo.InvariantCulture);
        return File.ReadLines("/proc/net/tcp").Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2].EndsWith(":" + port, StringComparison.Ordinal));
    }

    private static async Task AssertServesAsync(TestServer server)
    {
        string answer = await RawClient.ExchangeAsync(server, "GET /a.txt HTTP/1.0\r\n\r\n");
        Assert.EndsWith("file a", answer, StringComparison.Ordinal);
    }

    private static async Task AssertEndsAsync(Socket socket)
    {
        byte[] answer = new byte[1000];
        try
        {
            while (await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(20)) != 0)
            {
            }
        }
        catch (SocketException)
        {
        }
    }
}
