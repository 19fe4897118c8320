using System.Net.Sockets;
using System.Security.Cryptography;
using KestrelSite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,

    // The pages lie beside the program, wherever it is started from.
    ContentRootPath = AppContext.BaseDirectory,
});

// --stock true: the same site by Kestrel's own HTTPS, to compare.
if (!builder.Configuration.GetValue("stock", false))
{
    builder.WebHost.UseKTls();
}

// A start that fails is told below, in a line.
builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

OwnCertificate.UseWhereNoneIsConfigured(builder);
builder.Services.AddGrpc();

var site = builder.Build();
using var downloads = new Downloads();
site.UseDefaultFiles();
site.UseStaticFiles();
site.UseWebSockets();
site.MapGet("/api/connection", (HttpContext http) => ConnectionReport.Of(http));
site.MapGet("/download/{mebibytes:int:range(1,4096)}", (int mebibytes) => downloads.FileOf(mebibytes) is { } file
    ? Results.File(file, fileDownloadName: $"{mebibytes}.bin")
    : Results.StatusCode(StatusCodes.Status507InsufficientStorage));
site.Map("/echo", EchoSocket.RunAsync);
site.MapGrpcService<GrpcCalls>();

try
{
    await site.StartAsync();
}
catch (Exception e) when (e is IOException or SocketException or FormatException or InvalidOperationException or CryptographicException)
{
    // A port in use, a file that is not there, an address that is none.
    await Console.Error.WriteLineAsync($"The site cannot start: {e.Message}");
    return 1;
}

await site.WaitForShutdownAsync();
return 0;
