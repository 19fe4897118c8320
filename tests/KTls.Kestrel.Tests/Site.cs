using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>One site, served by stock UseHttps or by UseKTls: the tests ask both the same questions.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Site(WebApplication application) => _application = application;

    /// <summary>Whether this machine's kernel has TLS: then the kernel has to serve; else user space.</summary>
    public static bool KernelHasTls { get; } =
        File.ReadAllText("/proc/sys/net/ipv4/tcp_available_ulp").Split([' ', '\n']).Contains("tls");

    public static X509Certificate2 Certificate { get; } = CreateCertificate("localhost");

    public static byte[] Megabyte { get; } = RandomNumberGenerator.GetBytes(1 << 20);

    /// <summary>The https address, then the plain one.</summary>
    public string[] Addresses => [.. _application.Urls];

    public static async Task<Site> StartAsync(
        bool isKTls, Action<HttpsConnectionAdapterOptions>? configure = null, DataPlanePolicy? dataPlane = null,
        Action<WebApplicationBuilder>? build = null, Action<WebApplication>? map = null)
    {
        WebApplicationBuilder builder = CreateBuilder();
        build?.Invoke(builder);
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                void Https(HttpsConnectionAdapterOptions https)
                {
                    https.ServerCertificate = Certificate;
                    configure?.Invoke(https);
                }

                _ = isKTls
                    ? listen.UseKTls(Https, kernel => kernel.DataPlane = dataPlane ?? (KernelHasTls ? DataPlanePolicy.RequireKernel : DataPlanePolicy.UserSpace))
                    : listen.UseHttps(Https);
            });
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        return await StartAsync(builder, map);
    }

    /// <summary>The site with endpoints of the builder's own.</summary>
    public static async Task<Site> StartAsync(WebApplicationBuilder builder, Action<WebApplication>? map = null)
    {
        WebApplication application = builder.Build();
        map?.Invoke(application);
        Map(application);
        await application.StartAsync();
        return new Site(application);
    }

    public static WebApplicationBuilder CreateBuilder(params string[] arguments)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(arguments);
        builder.Logging.ClearProviders();

        // The slim builder leaves HTTPS out.
        builder.WebHost.UseKestrelHttpsConfiguration();
        return builder;
    }

    public HttpClient CreateClient(Version version, X509Certificate2? certificate = null, TlsCipherSuite? suite = null)
    {
        var options = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true };
        if (certificate is not null)
        {
            options.ClientCertificates = [certificate];
        }

        if (suite is { } only)
        {
#pragma warning disable CA1416 // The tests run on Linux only.
            options.CipherSuitesPolicy = new CipherSuitesPolicy([only]);
#pragma warning restore CA1416
        }

        return new HttpClient(new SocketsHttpHandler { SslOptions = options })
        {
            BaseAddress = new Uri(Addresses[0]),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public static X509Certificate2 CreateCertificate(string name, string? usage = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (usage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        }

        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    public Task StopAsync() => _application.StopAsync();

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static void Map(WebApplication site)
    {
        site.UseWebSockets();
        site.MapGet("/small", () => "small");
        site.MapGet("/large", () => Results.Bytes(Megabyte));
        site.MapGet("/chunked", async (HttpContext http) =>
        {
            for (int i = 0; i < 16; i++)
            {
                await http.Response.Body.WriteAsync(Megabyte.AsMemory(i << 16, 1 << 16));
                await http.Response.Body.FlushAsync();
            }
        });
        site.MapPost("/echo", async (HttpContext http) =>
        {
            // All of it first: HttpClient reads no answer before its body is out, and HTTP/2's windows are smaller than that.
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            await http.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
        });
        site.MapGet("/connection", (HttpContext http) => http.Connection.Id);
        site.MapGet("/abort", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("half");
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        site.MapGet("/certificate", async (HttpContext http) => (await http.Connection.GetClientCertificateAsync())?.Subject ?? "none");
        site.MapGet("/plane", (HttpContext http) => http.Features.Get<IKTlsFeature>()?.Stream.Sending.Kind.ToString() ?? "stock");
        site.MapGet("/tls", (HttpContext http) =>
        {
            ITlsHandshakeFeature feature = http.Features.GetRequiredFeature<ITlsHandshakeFeature>();
            return $"{feature.Protocol} {feature.HostName} {http.Request.Scheme} {http.Request.Protocol}";
        });
        site.MapGet("/handshake", (HttpContext http) =>
        {
            ITlsHandshakeFeature feature = http.Features.GetRequiredFeature<ITlsHandshakeFeature>();
#pragma warning disable SYSLIB0058 // Obsolete in .NET, and still members of the interface.
            return string.Join(
                ' ',
                [feature.NegotiatedCipherSuite, feature.CipherAlgorithm, feature.CipherStrength, feature.HashAlgorithm, feature.HashStrength, feature.KeyExchangeAlgorithm, feature.KeyExchangeStrength]);
#pragma warning restore SYSLIB0058
        });
        site.Map("/socket", async (HttpContext http) =>
        {
            using System.Net.WebSockets.WebSocket socket = await http.WebSockets.AcceptWebSocketAsync();
            byte[] buffer = new byte[1024];
            System.Net.WebSockets.WebSocketReceiveResult result;
            while ((result = await socket.ReceiveAsync(buffer, http.RequestAborted)).CloseStatus is null)
            {
                await socket.SendAsync(buffer.AsMemory(0, result.Count), result.MessageType, result.EndOfMessage, http.RequestAborted);
            }

            await socket.CloseAsync(result.CloseStatus.Value, null, CancellationToken.None);
        });
    }
}
