using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Interop.Tests;

/// <summary>
/// Connections that come and go leave nothing behind. KTLS_LEAK_CONNECTIONS and KTLS_LEAK_IDLE set how many: 200000 and 10000 take
/// a quarter of an hour.
/// </summary>
public sealed class LeakTests(ITestOutputHelper output)
{
    private static readonly int Connections = Number("KTLS_LEAK_CONNECTIONS", 10_000);
    private static readonly int IdleConnections = Number("KTLS_LEAK_IDLE", 500);

    private static readonly SslServerAuthenticationOptions Server = TestPki.Server();

    private static readonly SslClientAuthenticationOptions Client = new()
    {
        // The certificate is not what is tested here, and X509Chain would take most of the time.
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
        CertificateChainPolicy = TestPki.TrustRoot(),
    };

    [Fact]
    public async Task Connections_in_a_row()
    {
        using Socket listener = Scenario.Listen(out int port);
        await RunAsync(listener, port, 500);
        Footprint before = await Footprint.SettledAsync();
        await RunAsync(listener, port, Connections);
        Footprint after = await Footprint.SettledAsync();
        output.WriteLine($"{Connections} connections: before {before}, after {after}");
        AssertNothingLeft(before, after);

        // A leak of 100 bytes a connection would be 1 MB; what the runtime keeps for itself varies by less than 4.
        Assert.InRange(after.ManagedBytes - before.ManagedBytes, long.MinValue, 4 << 20);
    }

    [Fact]
    public async Task Five_hundred_connections_at_once()
    {
        using Socket listener = Scenario.Listen(out int port);
        listener.Listen(1024);
        await RunAsync(listener, port, 10);
        Footprint before = await Footprint.SettledAsync();
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => RunAsync(listener, port, 1))).WaitAsync(TimeSpan.FromMinutes(3));
        AssertNothingLeft(before, await Footprint.SettledAsync());
    }

    /// <summary>Connections that do nothing for a while hold no buffers, and still work when they are used again.</summary>
    [Fact]
    public async Task Idle_connections()
    {
        using Socket listener = Scenario.Listen(out int port);
        await RunAsync(listener, port, 10);
        Footprint before = await Footprint.SettledAsync();
        var idle = new List<(KTlsStream Server, KTlsStream Client, Task<int> Reading)>();
        for (int i = 0; i < IdleConnections; i++)
        {
            (KTlsStream server, KTlsStream client) = await ConnectAsync(listener, port);

            // A zero-byte read waits for data without a buffer.
            idle.Add((server, client, server.ReadAsync(Memory<byte>.Empty).AsTask()));
        }

        Footprint during = await Footprint.SettledAsync();
        output.WriteLine($"{IdleConnections} idle connections, both ends here: {(during.ManagedBytes - before.ManagedBytes) / (2 * IdleConnections)} managed bytes per end; before {before}, during {during}");
        Assert.Equal(before.KernelSending + (2 * IdleConnections), during.KernelSending);
        Assert.InRange(during.ManagedBytes - before.ManagedBytes, 0, 2L * IdleConnections * 8192);

        byte[] buffer = new byte[1];
        foreach ((KTlsStream server, KTlsStream client, Task<int> reading) in idle)
        {
            Assert.False(reading.IsCompleted);
            await client.WriteAsync(new byte[] { 3 });
            await reading.WaitAsync(TimeSpan.FromSeconds(20));
            await server.ReadExactlyAsync(buffer);
            Assert.Equal(3, buffer[0]);
            await client.DisposeAsync();
            await server.DisposeAsync();
        }

        idle.Clear();
        Footprint after = await Footprint.SettledAsync();
        output.WriteLine($"after {after}");
        AssertNothingLeft(before, after);
    }

    /// <summary>Peers that reset the connection, at different moments, leave nothing behind either.</summary>
    [Fact]
    public async Task Resets()
    {
        using Socket listener = Scenario.Listen(out int port);
        await RunAsync(listener, port, 10);
        Footprint before = await Footprint.SettledAsync();
        for (int i = 0; i < 300; i++)
        {
            Socket socket = await Scenario.ConnectAsync(port);
            Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), Server, Scenario.Kernel);
            socket.LingerState = new LingerOption(true, 0);
            if (i % 3 == 0)
            {
                await socket.SendAsync(new byte[] { 22, 3, 1, 0, 200 });
                socket.Dispose();
                await Assert.ThrowsAsync<IOException>(() => accepting);
                continue;
            }

            KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(socket, Client, Scenario.Kernel);
            await using KTlsStream server = await accepting;
            if (i % 3 == 1)
            {
                await server.WriteAsync(new byte[100_000]);
            }

            await client.DisposeAsync();
            await Assert.ThrowsAsync<IOException>(async () => await server.ReadAsync(new byte[1]));
        }

        // Those that failed in the handshake are still their caller's: ours, and the collector's.
        AssertNothingLeft(before, await Footprint.SettledAsync());
    }

    private static void AssertNothingLeft(Footprint before, Footprint after)
    {
        Assert.Equal(before.SocketDescriptors, after.SocketDescriptors);
        Assert.Equal(before.Sockets, after.Sockets);

        // The runtime opens a few files and pipes for itself when it pleases; a leak would be hundreds.
        Assert.InRange(after.Descriptors, 0, before.Descriptors + 8);
        Assert.Equal(before.KernelSending, after.KernelSending);
        Assert.Equal(before.KernelReceiving, after.KernelReceiving);
    }

    private static async Task RunAsync(Socket listener, int port, int connections)
    {
        byte[] buffer = new byte[1];
        for (int i = 0; i < connections; i++)
        {
            // With several at once the two need not be ends of one connection.
            (KTlsStream serverEnd, KTlsStream clientEnd) = await ConnectAsync(listener, port);
            await using KTlsStream server = serverEnd;
            await using KTlsStream client = clientEnd;
            await Task.WhenAll(client.WriteAsync(new byte[] { 1 }).AsTask(), server.WriteAsync(new byte[] { 2 }).AsTask());
            await Task.WhenAll(client.ReadExactlyAsync(new byte[1]).AsTask(), server.ReadExactlyAsync(buffer).AsTask());
            await client.ShutdownAsync();
            await server.ShutdownAsync();
            Assert.Equal(0, await client.ReadAsync(buffer));
        }
    }

    private static async Task<(KTlsStream Server, KTlsStream Client)> ConnectAsync(Socket listener, int port)
    {
        Task<Socket> accepting = listener.AcceptAsync();
        Socket socket = await Scenario.ConnectAsync(port);
        Task<KTlsStream> serving = KTlsStream.AuthenticateAsServerAsync(await accepting, Server, Scenario.Kernel);
        Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(socket, Client, Scenario.Kernel);
        return (await serving, await connecting);
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { } value ? int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    private sealed record Footprint(int Descriptors, int SocketDescriptors, long Sockets, long KernelSending, long KernelReceiving, long ManagedBytes)
    {
        /// <summary>What is held once two looks in a row agree: the kernel cleans up a moment later.</summary>
        public static async Task<Footprint> SettledAsync()
        {
            Footprint last = Take();
            for (int i = 0; i < 50; i++)
            {
                await Task.Delay(200);
                Footprint now = Take();
                if ((now with { ManagedBytes = 0 }) == (last with { ManagedBytes = 0 }) && i >= 4)
                {
                    return now;
                }

                last = now;
            }

            return last;
        }

        private static bool IsSocket(string descriptor)
        {
            try
            {
                return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.StartsWith("socket:", StringComparison.Ordinal) ?? false;
            }
            catch (IOException)
            {
                // The descriptor that listed them is gone by now.
                return false;
            }
        }

        private static Footprint Take()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            string[] counters = File.ReadAllLines("/proc/net/tls_stat");
            long sockets = long.Parse(File.ReadLines("/proc/net/sockstat").First().Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
            return new Footprint(
                Directory.GetFiles("/proc/self/fd").Length, Directory.GetFiles("/proc/self/fd").Count(IsSocket), sockets,
                Scenario.Counter(counters, "TlsCurrTxSw"), Scenario.Counter(counters, "TlsCurrRxSw"), GC.GetTotalMemory(forceFullCollection: true));
        }
    }
}
