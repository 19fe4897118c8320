using System.Net;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KTls.Bench.Sites;

/// <summary>Kestrel on a port of its own, with stock HTTPS or ours.</summary>
internal static class BenchSite
{
    /// <summary>An application that has one https endpoint and logs nothing; it is not started.</summary>
    public static WebApplication Create(bool isKTls, DataPlanePolicy plane = DataPlanePolicy.RequireKernel, Action<KestrelServerLimits>? limit = null, Action<ListenOptions>? listening = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            limit?.Invoke(kestrel.Limits);
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                _ = isKTls ? listen.UseKTls(TestPki.Ecdsa, configureKernel: options => options.DataPlane = plane) : listen.UseHttps(TestPki.Ecdsa);
                listening?.Invoke(listen);
            });
        });
        return builder.Build();
    }
}
