using System.Net.Security;
using System.Net.Sockets;

namespace KTls.Interop.Tests;

/// <summary>Connections that come and go leave nothing behind.</summary>
public sealed class LeakTests
{
    private static readonly SslServerAuthenticationOptions Server = TestPki.Server();

    private static readonly SslClientAuthenticationOptions Client = new()
    {
        // The certificate is not what is tested here, and X509Chain would take most of the time.
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
        CertificateChainPolicy = TestPki.TrustRoot(),
    };

    [Fact]
    public async Task Ten_thousand_connections_in_a_row()
    {
        const int Connections = 10_000;
        using Socket listener = Scenario.Listen(out int port);
        await RunAsync(listener, port, 500);
        Footprint before = await Footprint.SettledAsync();
        await RunAsync(listener, port, Connections);
        Footprint after = await Footprint.SettledAsync();
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
            Task<Socket> accepting = listener.AcceptAsync();
            Socket socket = await Scenario.ConnectAsync(port);
            Task<KTlsStream> serving = KTlsStream.AuthenticateAsServerAsync(await accepting, Server, Scenario.Kernel);
            Task<KTlsStream> connecting = KTlsStream.AuthenticateAsClientAsync(socket, Client, Scenario.Kernel);

            // With several at once the two need not be ends of one connection.
            await using KTlsStream server = await serving;
            await using KTlsStream client = await connecting;
            await Task.WhenAll(client.WriteAsync(new byte[] { 1 }).AsTask(), server.WriteAsync(new byte[] { 2 }).AsTask());
            await Task.WhenAll(client.ReadExactlyAsync(new byte[1]).AsTask(), server.ReadExactlyAsync(buffer).AsTask());
            await client.ShutdownAsync();
            await server.ShutdownAsync();
            Assert.Equal(0, await client.ReadAsync(buffer));
        }
    }

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
