using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KTls.Kestrel.Tests;

/// <summary>What <see cref="KestrelServerLimits"/> say holds under UseKTls as under stock UseHttps; and a server that stops lets requests end.</summary>
public sealed class LimitTests
{
    public static TheoryData<bool, string, string> Excesses
    {
        get
        {
            var all = new TheoryData<bool, string, string>();
            foreach (bool isKTls in (bool[])[false, true])
            {
                all.Add(isKTls, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n", "413");
                all.Add(isKTls, $"GET /{new string('a', 1000)} HTTP/1.1\r\nHost: localhost\r\n\r\n", "414");
                all.Add(isKTls, $"GET /small HTTP/1.1\r\nHost: localhost\r\nA: {new string('a', 2000)}\r\n\r\n", "431");
                all.Add(isKTls, $"GET /small HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 20).Select(i => $"A{i}: b\r\n"))}\r\n", "431");
                all.Add(isKTls, "no request at all\r\n\r\n", "400");
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Excesses))]
    public async Task A_request_that_exceeds_a_limit_is_refused(bool isKTls, string request, string status)
    {
        await using Site site = await StartAsync(isKTls, limits =>
        {
            limits.MaxRequestBodySize = 1000;
            limits.MaxRequestLineSize = 500;
            limits.MaxRequestHeadersTotalSize = 1500;
            limits.MaxRequestHeaderCount = 10;
        });
        using RawClient client = await RawClient.ConnectAsync(site);
        await client.SendAsync(request);
        Assert.StartsWith($"HTTP/1.1 {status} ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    /// <summary>Kestrel looks at its clock once a second.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_that_take_their_time_are_sent_away(bool isKTls)
    {
        await using Site site = await StartAsync(isKTls, limits => (limits.RequestHeadersTimeout, limits.KeepAliveTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        using RawClient slow = await RawClient.ConnectAsync(site);
        await slow.SendAsync("GET /small HTTP/1.1\r\nHost: loc");
        using RawClient idle = await RawClient.ConnectAsync(site);
        await idle.GetAsync("/large");
        await idle.ReadHeadAsync();
        Assert.Equal(Site.Megabyte, await idle.ReadAsync(Site.Megabyte.Length));
        Assert.Equal(0, await idle.CountToEndAsync(1));
        Assert.StartsWith("HTTP/1.1 408 ", await slow.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_connections_than_allowed_are_closed(bool isKTls)
    {
        await using Site site = await StartAsync(isKTls, limits => limits.MaxConcurrentConnections = 1);
        using (RawClient first = await RawClient.ConnectAsync(site))
        {
            await first.GetAsync("/small");
            await first.ReadHeadAsync();
            await Assert.ThrowsAnyAsync<IOException>(() => RawClient.ConnectAsync(site));
        }

        // The place is free again as soon as the server has seen the first one's end.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using RawClient next = await RawClient.ConnectAsync(site);
                await next.GetAsync("/small");
                Assert.StartsWith("HTTP/1.1 200 ", await next.ReadHeadAsync(), StringComparison.Ordinal);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                await Task.Delay(50);
            }
        }
    }

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(true, "1.1")]
    [InlineData(false, "2.0")]
    [InlineData(true, "2.0")]
    public async Task A_request_under_way_ends_before_the_server_does(bool isKTls, string version)
    {
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapGet("/slow", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("first ");
            await http.Response.Body.FlushAsync();
            arrived.SetResult();
            await goOn.Task;
            await http.Response.WriteAsync("last");
        }));
        using HttpClient client = site.CreateClient(Version.Parse(version));
        Task<string> answer = client.GetStringAsync("slow");
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Task stop = site.StopAsync();
        await RefusesAsync(site);
        Assert.False(stop.IsCompleted);
        goOn.SetResult();
        Assert.Equal("first last", await answer);
        await stop.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static async Task RefusesAsync(Site site)
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail("The stopping server still takes connections.");
    }

    private static Task<Site> StartAsync(bool isKTls, Action<KestrelServerLimits> limit) =>
        Site.StartAsync(isKTls, build: builder => builder.WebHost.ConfigureKestrel(kestrel => limit(kestrel.Limits)));
}
