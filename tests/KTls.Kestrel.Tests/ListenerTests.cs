using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace KTls.Kestrel.Tests;

/// <summary>A port that somebody has: Kestrel tells it from an address family that the machine has not.</summary>
public sealed class ListenerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_port_in_use_is_an_error(bool isKTls)
    {
        using TcpListener other = Occupy(out int port);
        WebApplicationBuilder builder = Builder(isKTls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        IOException e = await Assert.ThrowsAsync<IOException>(() => Site.StartAsync(builder));
        Assert.IsType<AddressInUseException>(e.InnerException);
    }

    /// <summary>And does not serve on the other address of localhost alone.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task So_is_one_of_localhost(bool isKTls)
    {
        using TcpListener other = Occupy(out int port);
        WebApplicationBuilder builder = Builder(isKTls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        await Assert.ThrowsAsync<IOException>(() => Site.StartAsync(builder));
    }

    [Fact]
    public async Task A_socket_that_cannot_listen_is_closed()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = _ => socket);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await Assert.ThrowsAsync<SocketException>(() => Site.StartAsync(builder));
        Assert.True(socket.SafeHandle.IsClosed);
    }

    private static TcpListener Occupy(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }

    private static WebApplicationBuilder Builder(bool isKTls)
    {
        WebApplicationBuilder builder = Site.CreateBuilder();
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        return builder;
    }
}
