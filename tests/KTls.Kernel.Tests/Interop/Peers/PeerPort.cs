using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace KTls.Tests.Interop;

/// <summary>The TCP port of a peer that serves.</summary>
internal static class PeerPort
{
    /// <summary>A port that nobody listens on.</summary>
    public static int Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Connects once the peer listens: a trial connection would count as its first client.</summary>
    public static async Task<Socket> ConnectAsync(int port, PeerProcess peer)
    {
        var clock = Stopwatch.StartNew();
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"The peer does not listen on port {port}.\n{peer.Said}");
            await Task.Delay(20);
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }
}
