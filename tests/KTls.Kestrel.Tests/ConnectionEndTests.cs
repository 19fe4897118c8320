using System.Net;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>What a server makes of a client's end, asked of stock UseHttps and of UseKTls.</summary>
public sealed class ConnectionEndTests
{
    public static TheoryData<bool> Servers => [false, true];

    /// <summary>close_notify ends the client's data (RFC 8446 §6.1), not its interest in the answer.</summary>
    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_that_has_sent_all_gets_its_answer(bool isKTls)
    {
        var closeNotifySent = new TaskCompletionSource();
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapGet("/slow", async (HttpContext http) =>
        {
            await closeNotifySent.Task;
            await Task.Delay(200);
            return http.RequestAborted.IsCancellationRequested ? "aborted" : "answer";
        }));
        using RawClient client = await RawClient.ConnectAsync(site);
        await client.GetAsync("/slow");
        await client.Stream.ShutdownAsync();
        closeNotifySent.SetResult();
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);

        // The server ends TCP, too: nothing else can come.
        Assert.InRange(await client.CountToEndAsync(1000), "answer".Length, 100);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_that_says_goodbye_and_goes_is_gone(bool isKTls)
    {
        var began = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapGet("/slow", async (HttpContext http) =>
        {
            using CancellationTokenRegistration end = http.RequestAborted.Register(ended.SetResult);
            began.SetResult();
            await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }));
        using RawClient client = await RawClient.ConnectAsync(site);
        await client.GetAsync("/slow");
        await began.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await client.Stream.ShutdownAsync();
        await Task.Delay(100);
        Assert.False(ended.Task.IsCompleted);
        client.Dispose();
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>An application's failure at a connection's end is logged, and costs nobody else anything.</summary>
    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_callback_that_throws_is_logged(bool isKTls)
    {
        using var log = new LogLines();
        WebApplicationBuilder builder = Site.CreateBuilder();
        builder.Logging.AddProvider(log);
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            _ = isKTls ? listen.UseKTls(Site.Certificate) : listen.UseHttps(Site.Certificate);
            listen.Use(next => connection =>
            {
                connection.ConnectionClosed.Register(() => throw new InvalidTimeZoneException("the application's own"));
                return next(connection);
            });
        }));
        await using Site site = await Site.StartAsync(builder);
        using (HttpClient client = site.CreateClient(HttpVersion.Version11))
        {
            Assert.Equal("small", await client.GetStringAsync("small"));
        }

        for (int i = 0; i < 200 && !log.Exceptions.Any(IsOwn); i++)
        {
            await Task.Delay(50);
        }

        Assert.Contains(log.Exceptions, e => IsOwn(e));
        using HttpClient other = site.CreateClient(HttpVersion.Version11);
        Assert.Equal("small", await other.GetStringAsync("small"));
    }

    private static bool IsOwn(Exception e) => e is AggregateException { InnerException: InvalidTimeZoneException };
}
