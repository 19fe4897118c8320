using System.Net;
using System.Net.Sockets;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>Unix sockets beside UseKTls, and middleware of connections around it.</summary>
public sealed class OtherEndpointTests : IDisposable
{
    // A line of the log has 16 bytes, in two halves.
    private const string Request = "GET /pla";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _log.Dispose();
    }

    /// <summary>They are no TCP: stock HTTPS serves those with UseKTls.</summary>
    [Fact]
    public async Task Unix_sockets_are_served_as_ever()
    {
        string plain = Path.Combine(_folder.FullName, "plain");
        string tls = Path.Combine(_folder.FullName, "tls");
        await using Site site = await Site.StartAsync(isKTls: true, build: builder => builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(plain);
            kestrel.ListenUnixSocket(tls, listen => listen.UseKTls(Site.Certificate));
        }));
        foreach ((string path, string address) in new[] { (plain, "http://localhost/"), (tls, "https://localhost/") })
        {
            using var handler = new SocketsHttpHandler
            {
                SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            using var client = new HttpClient(handler) { BaseAddress = new Uri(address) };
            Assert.Equal("stock", await client.GetStringAsync("plane"));
            Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
        }
    }

    /// <summary>After UseKTls the log has what is inside TLS, and the kernel goes on serving; files take the ordinary way then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connections_are_logged(bool isKTls)
    {
        WebApplicationBuilder builder = CreateBuilder(isKTls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            _ = isKTls ? listen.UseKTls(Site.Certificate) : listen.UseHttps(Site.Certificate);
            listen.UseConnectionLogging();
        }));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.Equal(!isKTls ? "stock" : Site.KernelHasTls ? "Kernel" : "SslStream", await client.GetStringAsync("plane"));
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
        Assert.Contains(_log.Lines, line => line.Contains("ReadAsync", StringComparison.Ordinal) && line.Contains(Request, StringComparison.Ordinal));
        Assert.Contains(_log.Lines, line => line.Contains("WriteAsync", StringComparison.Ordinal) && line.Contains("HTTP/1.1", StringComparison.Ordinal));
    }

    /// <summary>Before UseKTls it wants the records themselves, which only stock HTTPS brings through a pipe.</summary>
    [Fact]
    public async Task Records_are_logged()
    {
        WebApplicationBuilder builder = CreateBuilder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionLogging().UseKTls(Site.Certificate)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.Equal("stock", await client.GetStringAsync("plane"));
        Assert.Contains(_log.Lines, line => line.Contains("ReadAsync", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("ReadAsync", StringComparison.Ordinal) && line.Contains(Request, StringComparison.Ordinal));
        using HttpClient second = site.CreateClient(HttpVersion.Version11);
        Assert.Equal("stock", await second.GetStringAsync("plane"));
        Assert.Single(_log.Lines, line => line.Contains("has asked for the connection's pipes", StringComparison.Ordinal));
    }

    private WebApplicationBuilder CreateBuilder(bool isKTls)
    {
        WebApplicationBuilder builder = Site.CreateBuilder();
        builder.Logging.AddProvider(_log);
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        return builder;
    }
}
