using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KTls.Kestrel.Tests;

/// <summary>What people expect of Kestrel, asked of stock UseHttps and of UseKTls.</summary>
public sealed class SiteTests
{
    public static TheoryData<bool, string> ServersAndVersions => new() { { false, "1.1" }, { false, "2.0" }, { true, "1.1" }, { true, "2.0" } };

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task Bodies_come_whole(bool isKTls, string version)
    {
        await using Site site = await Site.StartAsync(isKTls);
        using HttpClient client = site.CreateClient(Version.Parse(version));
        using HttpResponseMessage small = await client.GetAsync("small");
        Assert.Equal(HttpStatusCode.OK, small.StatusCode);
        Assert.Equal("Kestrel", small.Headers.Server.ToString());
        Assert.Equal("small", await small.Content.ReadAsStringAsync());
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("chunked"));
        using HttpResponseMessage echo = await client.PostAsync("echo", new ByteArrayContent(Site.Megabyte));
        Assert.Equal(Site.Megabyte, await echo.Content.ReadAsByteArrayAsync());
        using HttpResponseMessage missing = await client.GetAsync("missing");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task The_features_say_what_the_handshake_agreed_on(bool isKTls, string version)
    {
        // Stock Kestrel keeps the name only where it chooses the certificate by it.
        await using Site site = await Site.StartAsync(isKTls, https => https.ServerCertificateSelector = (_, _) => Site.Certificate);
        using HttpClient client = site.CreateClient(Version.Parse(version));
        client.DefaultRequestHeaders.Host = "site.example";
        Assert.Equal($"Tls13 site.example https HTTP/{(version == "2.0" ? "2" : version)}", await client.GetStringAsync("tls"));
        string plane = !isKTls ? "stock" : Site.KernelHasTls ? "Kernel" : "UserSpace";
        Assert.Equal(plane, await client.GetStringAsync("plane"));
    }

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task A_connection_is_kept(bool isKTls, string version)
    {
        await using Site site = await Site.StartAsync(isKTls);
        using HttpClient client = site.CreateClient(Version.Parse(version));
        string first = await client.GetStringAsync("connection");
        Assert.NotEmpty(first);
        Assert.Equal(first, await client.GetStringAsync("connection"));
    }

    [Theory]
    [MemberData(nameof(ServersAndVersions))]
    public async Task An_aborted_answer_is_an_error_for_the_client(bool isKTls, string version)
    {
        await using Site site = await Site.StartAsync(isKTls);
        using HttpClient client = site.CreateClient(Version.Parse(version));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("abort"));
        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_certificate_is_seen(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, _, _) => certificate.Subject == "CN=somebody";
        });
        using HttpClient somebody = site.CreateClient(HttpVersion.Version11, Site.CreateCertificate("somebody"));
        Assert.Equal("CN=somebody", await somebody.GetStringAsync("certificate"));
        using HttpClient other = site.CreateClient(HttpVersion.Version11, Site.CreateCertificate("other"));
        await Assert.ThrowsAsync<HttpRequestException>(() => other.GetStringAsync("certificate"));
        using HttpClient nobody = site.CreateClient(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => nobody.GetStringAsync("certificate"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_web_socket_echoes(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls);
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await socket.ConnectAsync(new Uri(site.Addresses[0].Replace("https", "wss", StringComparison.Ordinal) + "/socket"), CancellationToken.None);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        byte[] buffer = new byte[16];
        WebSocketReceiveResult result = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.Equal("hello"u8, buffer.AsSpan(0, result.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal(WebSocketState.Closed, socket.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Plain_http_is_served_beside_it(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls);
        Assert.StartsWith("https://", site.Addresses[0], StringComparison.Ordinal);
        Assert.StartsWith("http://", site.Addresses[1], StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = new Uri(site.Addresses[1]) };
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
        Assert.Equal("stock", await client.GetStringAsync("plane"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_says_nothing_is_sent_away(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls, https => https.HandshakeTimeout = TimeSpan.FromMilliseconds(300));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stopping_server_ends_an_idle_connection(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, _, _, _) => true };

        // Our own end, for it tells close_notify from an end of TCP alone.
        await using KTlsStream peer = await KTlsStream.AuthenticateAsClientAsync(socket, options, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
        Task<int> read = peer.ReadAsync(new byte[1]).AsTask();
        await site.StopAsync();
        Assert.Equal(0, await read.WaitAsync(TimeSpan.FromSeconds(10)));

        // Stock Kestrel ends TCP alone, which a client cannot tell from an attacker's cut (RFC 8446 §6.1).
        Assert.Equal(isKTls, peer.CloseNotifyReceived);
    }
}
