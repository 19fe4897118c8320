using KestrelSite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

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

OwnCertificate.UseWhereNoneIsConfigured(builder);
builder.Services.AddGrpc();

var site = builder.Build();
using var downloads = new Downloads();
site.UseDefaultFiles();
site.UseStaticFiles();
site.UseWebSockets();
site.MapGet("/api/connection", (HttpContext http) => ConnectionReport.Of(http));
site.MapGet("/download/{mebibytes:int:range(1,4096)}", (int mebibytes) => Results.File(downloads.FileOf(mebibytes), fileDownloadName: $"{mebibytes}.bin"));
site.Map("/echo", EchoSocket.RunAsync);
site.MapGrpcService<GrpcCalls>();
site.Run();
