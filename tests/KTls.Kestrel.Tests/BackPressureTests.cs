using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KTls.Kestrel.Tests;

/// <summary>Whoever reads nothing makes the other side wait, and fills no memory.</summary>
public sealed class BackPressureTests
{
    // What sockets hold by themselves is some megabytes; twice as much is a body that Kestrel takes.
    private const long Bound = 14 << 20;

    private static readonly byte[] Block = new byte[1 << 16];

    public static TheoryData<bool> Servers => [false, true];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task An_application_waits_for_its_client(bool isKTls)
    {
        long written = 0;
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapGet("/flood", async (HttpContext http) =>
        {
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.Body.WriteAsync(Block, http.RequestAborted);
                Interlocked.Add(ref written, Block.Length);
            }
        }));
        using RawClient client = await RawClient.ConnectAsync(site);
        long allocated = GC.GetTotalAllocatedBytes();
        await client.GetAsync("/flood");
        await client.ReadHeadAsync();
        long stop = await StandstillAsync(() => Interlocked.Read(ref written));
        Assert.InRange(stop, Block.Length, Bound);
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, Bound);
        await client.ReadAsync((int)stop);
        Assert.InRange(await StandstillAsync(() => Interlocked.Read(ref written)), stop + 1, stop + Bound);
        client.Reset();
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_waits_for_its_application(bool isKTls)
    {
        using var begin = new SemaphoreSlim(0);
        long written = 0;
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapPost("/sink", async (HttpContext http) =>
        {
            await begin.WaitAsync();
            await http.Request.Body.CopyToAsync(Stream.Null);
        }));
        using RawClient client = await RawClient.ConnectAsync(site);
        await client.SendAsync($"POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2 * Bound}\r\n\r\n");
        Task sending = Task.Run(async () =>
        {
            for (long length = 0; length < 2 * Bound; length += Block.Length)
            {
                await client.Stream.WriteAsync(Block);
                Interlocked.Add(ref written, Block.Length);
            }
        });
        Assert.InRange(await StandstillAsync(() => Interlocked.Read(ref written)), Block.Length, Bound);
        begin.Release();
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await sending;
    }

    // Where it stands still for a while.
    private static async Task<long> StandstillAsync(Func<long> count)
    {
        long last = -1;
        for (int same = 0; same < 4; await Task.Delay(100))
        {
            long now = count();
            same = now == last && now > 0 ? same + 1 : 0;
            last = now;
        }

        return last;
    }
}
