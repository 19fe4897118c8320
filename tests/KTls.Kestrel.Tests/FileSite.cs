using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>A site that sends files in every way, and a folder with some.</summary>
internal sealed class FileSite : IAsyncDisposable, ILoggerProvider
{
    /// <summary>An odd length, several times what a socket holds at once.</summary>
    public static byte[] Content { get; } = RandomNumberGenerator.GetBytes(1_234_567);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ktls-files");
    private readonly ConcurrentQueue<string> _sent = [];
    private Site? _site;

    private FileSite()
    {
        File.WriteAllBytes(PathOf("file.bin"), Content);
        File.WriteAllText(PathOf("text.txt"), new string('a', 100_000));
        File.WriteAllBytes(PathOf("empty.bin"), []);

        // Larger than all buffers on the way, one of them also than what Kestrel counts at once; no bytes on the disk.
        using FileStream medium = File.Create(PathOf("medium.bin"));
        medium.SetLength(64 << 20);
        using FileStream large = File.Create(PathOf("large.bin"));
        large.SetLength(3L << 30);
    }

    public Site Site => _site!;

    /// <summary>How requests for /outcome ended.</summary>
    public BlockingCollection<string> Outcomes { get; } = [];

    /// <summary>Cancels what /outcome sends.</summary>
    public CancellationTokenSource Cancellation { get; } = new();

    /// <summary>How many times the transport was given a file.</summary>
    public int FilesSent => _sent.Count;

    public static async Task<FileSite> StartAsync(bool isKTls, Action<KestrelServerOptions>? configure = null, DataPlanePolicy? dataPlane = null)
    {
        var site = new FileSite();
        site._site = await Site.StartAsync(isKTls, dataPlane: dataPlane, build: builder =>
        {
            builder.Logging.AddProvider(site).SetMinimumLevel(LogLevel.Debug);
            builder.WebHost.ConfigureKestrel(configure ?? (_ => { }));
            builder.Services.AddResponseCompression(options => options.EnableForHttps = true);
        }, map: site.Map);
        return site;
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    ILogger ILoggerProvider.CreateLogger(string categoryName) => new SentFiles(_sent);

    void IDisposable.Dispose()
    {
    }

    private void Map(WebApplication site)
    {
        site.UseWhen(http => http.Request.Path.StartsWithSegments("/compressed"), branch => branch.UseResponseCompression());
        foreach (string prefix in (string[])["/static", "/compressed"])
        {
            site.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(_folder.FullName), RequestPath = prefix });
        }

        site.MapMethods("/file", ["GET", "HEAD"], () => Results.File(PathOf("file.bin"), enableRangeProcessing: true));
        site.MapMethods("/empty", ["GET", "HEAD"], () => Results.File(PathOf("empty.bin")));
        site.MapMethods("/sent/{name}", ["GET", "HEAD"], async (HttpContext http, string name, long? length, long offset = 0, long? count = null) =>
        {
            http.Response.ContentLength = length;
            await http.Response.SendFileAsync(PathOf(name), offset, count);
        });
        site.MapGet("/between", async (HttpContext http) =>
        {
            http.Response.ContentLength = 5 + 200_000 + 100_000 + 5;
            await http.Response.WriteAsync("begin");
            await http.Response.SendFileAsync(PathOf("file.bin"), 1_000, 200_000);
            await http.Response.SendFileAsync(PathOf("file.bin"), 7, 100_000);
            http.Response.BodyWriter.Write("end.."u8);
            await http.Response.BodyWriter.FlushAsync();
        });
        site.MapGet("/behind", async (HttpContext http) =>
        {
            // More than the pipe holds waits before the file.
            http.Response.ContentLength = 300_000 + Content.Length;
            http.Response.BodyWriter.Write(new byte[300_000]);
            await http.Response.SendFileAsync(PathOf("file.bin"));
        });
        site.MapGet("/over", async (HttpContext http) =>
        {
            http.Response.ContentLength = Content.Length;
            await http.Response.WriteAsync("begin");
            await http.Response.SendFileAsync(PathOf("file.bin"));
        });
        site.MapGet("/unawaited", async (HttpContext http) =>
        {
            http.Response.ContentLength = 300_000 + Content.Length;
            Task write = http.Response.Body.WriteAsync(new byte[300_000], 0, 300_000);
            await http.Response.SendFileAsync(PathOf("file.bin"));
            await write;
        });
        site.MapGet("/twice", async (HttpContext http) =>
        {
            http.Response.ContentLength = 2 * Content.Length;
            await http.Response.StartAsync();
            Task first = http.Response.SendFileAsync(PathOf("file.bin"));
            await http.Response.SendFileAsync(PathOf("file.bin"));
            await first;
        });
        site.MapGet("/outcome/{name}", async (HttpContext http, string name, bool cancellable = false, double patience = 10, int before = 0) =>
        {
            string outcome = "returned";
            try
            {
                http.Response.ContentLength = before + new FileInfo(PathOf(name)).Length;
                http.Response.BodyWriter.Write(new byte[before]);
                await http.Response.SendFileAsync(PathOf(name), cancellable ? Cancellation.Token : default);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                outcome = e is OperationCanceledException ? "cancelled" : "failed";

                // Kestrel tells of an abort on another thread.
                patience = 3;
            }

            using var wait = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            await Task.Delay(TimeSpan.FromSeconds(patience), wait.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            Outcomes.Add(http.RequestAborted.IsCancellationRequested ? outcome + ", aborted" : outcome);
        });
    }

    private sealed class SentFiles(ConcurrentQueue<string> sent) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "SendsFile")
            {
                sent.Enqueue(formatter(state, exception));
            }
        }
    }
}
