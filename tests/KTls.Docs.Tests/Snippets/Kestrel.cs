using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace KTls.Docs.Tests.Snippets;

/// <summary>ASP.NET Core.</summary>
public sealed class Kestrel
{
    [Fact]
    public async Task Serves_https()
    {
        var certificate = TestPki.Ecdsa;
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();

        builder.WebHost.UseKTls();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(5001, listen => listen.UseKTls(certificate)));

        await using WebApplication site = builder.Build();
        site.MapGet("/", () => "hello");
        await site.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = TestPki.Client() });
        Assert.Equal("hello", await client.GetStringAsync("https://localhost:5001/"));
    }
}
