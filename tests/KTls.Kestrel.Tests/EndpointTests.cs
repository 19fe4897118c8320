using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>However an https endpoint comes about, UseKTls serves it under the same options as stock HTTPS.</summary>
public sealed class EndpointTests : IDisposable
{
    private const string Password = "secret";

    private readonly string _file = Path.GetTempFileName();
    private readonly LogLines _log = new();

    public EndpointTests() => File.WriteAllBytes(_file, Site.Certificate.Export(X509ContentType.Pkcs12, Password));

    public void Dispose()
    {
        File.Delete(_file);
        _log.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Urls(bool isKTls)
    {
        WebApplicationBuilder builder = Builder(isKTls, "--urls=https://127.0.0.1:0;http://127.0.0.1:0");
        AddDefaultCertificate(builder);
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls);
        using var plain = new HttpClient { BaseAddress = new Uri(site.Addresses.Single(address => address.StartsWith("http://", StringComparison.Ordinal))) };
        Assert.Equal("stock", await plain.GetStringAsync("plane"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Configuration(bool isKTls)
    {
        WebApplicationBuilder builder = Builder(isKTls);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Site:Certificate:Path"] = _file,
            ["Kestrel:Endpoints:Site:Certificate:Password"] = Password,
            ["Kestrel:Endpoints:Site:ClientCertificateMode"] = "RequireCertificate",
            ["Kestrel:Endpoints:Site:SslProtocols:0"] = "Tls12",
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.AllowAnyClientCertificate()));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient somebody = site.CreateClient(HttpVersion.Version11, Site.CreateCertificate("somebody"));
        Assert.Equal("CN=somebody", await somebody.GetStringAsync("certificate"));
        Assert.StartsWith("Tls12 ", await somebody.GetStringAsync("tls"), StringComparison.Ordinal);
        Assert.Equal(Plane(isKTls), await somebody.GetStringAsync("plane"));
        using HttpClient nobody = site.CreateClient(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => nobody.GetStringAsync("certificate"));
    }

    /// <summary>An endpoint with https in code has Kestrel load the configuration before anybody else sees the options.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Configuration_beside_an_endpoint_in_code(bool isKTls)
    {
        WebApplicationBuilder builder = Builder(isKTls);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Site:Certificate:Path"] = _file,
            ["Kestrel:Endpoints:Site:Certificate:Password"] = Password,
            ["Kestrel:Endpoints:Site:SslProtocols:0"] = "Tls12",
            ["Kestrel:Endpoints:Plain:Url"] = "http://127.0.0.1:0",
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => next));
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(Site.Certificate));
        });
        await using Site site = await Site.StartAsync(builder);
        List<string> answers = [];
        foreach (string address in site.Addresses)
        {
            using HttpClient client = site.CreateClient(HttpVersion.Version11);
            answers.Add(await client.GetStringAsync(address + (address.StartsWith("https", StringComparison.Ordinal) ? "/tls" : "/plane")) + await client.GetStringAsync(address + "/plane"));
        }

        answers.Sort(StringComparer.Ordinal);
        Assert.Equal(["Tls12  https HTTP/1.1" + Plane(isKTls), "Tls13  https HTTP/1.1stock", "stockstock"], answers);
    }

    /// <summary>What an application sets for all endpoints holds, and ours does not come in its way.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Defaults_of_the_application(bool isKTls)
    {
        WebApplicationBuilder builder = Builder(isKTls, "--urls=https://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.ConfigureHttpsDefaults(https => (https.ServerCertificate, https.SslProtocols) = (Site.Certificate, SslProtocols.Tls12));
        });
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.StartsWith("Tls12 ", await client.GetStringAsync("tls"), StringComparison.Ordinal);
        using HttpClient newer = site.CreateClient(HttpVersion.Version20);
        await Assert.ThrowsAsync<HttpRequestException>(() => newer.GetStringAsync("small"));
    }

    /// <summary>An endpoint that says which it wants, has it.</summary>
    [Fact]
    public async Task UseHttps_in_code_stays_stock()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(Site.Certificate)));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls: false);
    }

    /// <summary>The same said in the defaults for all endpoints.</summary>
    [Fact]
    public async Task UseHttps_in_the_defaults_stays_stock()
    {
        WebApplicationBuilder builder = Builder(isKTls: true, "--urls=https://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseHttps(Site.Certificate)));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls: false);
    }

    /// <summary>An endpoint of the configuration with stock HTTPS of the application's own: we serve it with the very options.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Configuration_with_options_of_code(bool isKTls)
    {
        WebApplicationBuilder builder = Builder(isKTls);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0" });
        var https = new HttpsConnectionAdapterOptions { ServerCertificate = Site.Certificate, SslProtocols = SslProtocols.Tls12 };
        builder.WebHost.ConfigureKestrel((context, kestrel) => kestrel.Configure(context.Configuration.GetSection("Kestrel")).Endpoint("Site", endpoint => endpoint.ListenOptions.UseHttps(https)));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.StartsWith("Tls12 ", await client.GetStringAsync("tls"), StringComparison.Ordinal);
    }

    /// <summary>The same with a callback of the application's, which may want what SslStream alone can do: it stays with stock HTTPS.</summary>
    [Fact]
    public async Task Configuration_with_a_callback_of_code_stays_stock()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0" });
        builder.WebHost.ConfigureKestrel((context, kestrel) => kestrel.Configure(context.Configuration.GetSection("Kestrel")).Endpoint("Site", endpoint => endpoint.ListenOptions.UseHttps(
            new TlsHandshakeCallbackOptions
            {
                OnConnectionState = endpoint.ListenOptions,
                OnConnection = context =>
                {
                    context.AllowDelayedClientCertificateNegotation = true;
                    return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = Site.Certificate });
                },
            })));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls: false);
    }

    [Fact]
    public async Task A_certificate_and_more() => await AssertUseKTlsServesAsync(
        listen => listen.UseKTls(Site.Certificate, https => https.SslProtocols = SslProtocols.Tls12, kernel => kernel.DataPlane = DataPlanePolicy.UserSpace), "Tls12", "UserSpace");

    [Fact]
    public async Task A_file() => await AssertUseKTlsServesAsync(listen => listen.UseKTls(_file, Password), "Tls13", Plane(isKTls: true));

    [Fact]
    public async Task The_default_certificate() => await AssertUseKTlsServesAsync(listen => listen.UseKTls(), "Tls13", Plane(isKTls: true));

    [Fact]
    public async Task Ready_options() => await AssertUseKTlsServesAsync(
        listen => listen.UseKTls(new HttpsConnectionAdapterOptions { ServerCertificate = Site.Certificate, SslProtocols = SslProtocols.Tls12 }), "Tls12", Plane(isKTls: true));

    /// <summary>The callback sees what stock HTTPS shows it, chooses by the name, and Kestrel's ALPN is added.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_callback(bool isKTls)
    {
        X509Certificate2 other = Site.CreateCertificate("other.example");
        var callback = new TlsHandshakeCallbackOptions
        {
            OnConnectionState = "state",
            OnConnection = context =>
            {
                Assert.Equal("state", context.State);
                Assert.False(context.SslStream.IsAuthenticated);
                Assert.NotEmpty(context.Connection.ConnectionId);
                Assert.True(context.CancellationToken.CanBeCanceled);
                return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = context.ClientHelloInfo.ServerName == "other.example" ? other : Site.Certificate });
            },
        };
        WebApplicationBuilder builder = Builder(isKTls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => _ = isKTls ? listen.UseKTls(callback, kernel => kernel.DataPlane = DataPlanePolicy.UserSpace) : listen.UseHttps(callback)));
        await using Site site = await Site.StartAsync(builder);
        foreach ((string name, X509Certificate2 expected) in new[] { ("other.example", other), ("localhost", Site.Certificate) })
        {
            X509Certificate? seen = null;
            var options = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    seen = new X509Certificate2(certificate!);
                    return true;
                },
            };
            using var client = new HttpClient(new SocketsHttpHandler { SslOptions = options })
            {
                BaseAddress = new Uri(site.Addresses[0]), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            client.DefaultRequestHeaders.Host = name;
            Assert.Equal(isKTls ? "UserSpace" : "stock", await client.GetStringAsync("plane"));
            Assert.Equal(expected, seen);
            Assert.Equal($"Tls13 {name} https HTTP/2", await client.GetStringAsync("tls"));
        }
    }

    [Fact]
    public async Task A_callback_that_wants_a_certificate_later_is_told()
    {
        var callback = new TlsHandshakeCallbackOptions
        {
            OnConnection = context =>
            {
                context.AllowDelayedClientCertificateNegotation = true;
                return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = Site.Certificate });
            },
        };
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.UseKTls(callback, kernel => kernel.DataPlane = DataPlanePolicy.UserSpace)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("small"));

        // The client hears of it before the log does.
        await site.StopAsync();
        Assert.Contains(_log.Exceptions, e => e is NotSupportedException && e.Message.StartsWith("AllowDelayedClientCertificateNegotation is set", StringComparison.Ordinal));
    }

    /// <summary>A failure of the application's own is logged as one, and the endpoint goes on.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_callback_that_throws_costs_one_connection(bool isKTls)
    {
        int calls = 0;
        var callback = new TlsHandshakeCallbackOptions
        {
            OnConnection = context => calls++ == 0 ? throw new FileNotFoundException("the site's own failure") : ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = Site.Certificate }),
        };
        WebApplicationBuilder builder = Builder(isKTls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => _ = isKTls ? listen.UseKTls(callback, kernel => kernel.DataPlane = DataPlanePolicy.UserSpace) : listen.UseHttps(callback)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("small"));
        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    /// <summary>Options of an endpoint in the configuration, completed in code.</summary>
    [Fact]
    public async Task Configuration_completed_in_code()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Site:Certificate:Path"] = _file,
            ["Kestrel:Endpoints:Site:Certificate:Password"] = Password,
        });
        builder.WebHost.ConfigureKestrel((context, kestrel) => kestrel.Configure(context.Configuration.GetSection("Kestrel"))
            .Endpoint("Site", endpoint => endpoint.ListenOptions.UseKTls(endpoint.HttpsOptions, kernel => kernel.DataPlane = DataPlanePolicy.UserSpace)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.Equal("UserSpace", await client.GetStringAsync("plane"));
    }

    /// <summary>The first one counts, as with stock HTTPS, and nobody is told that it is left to stock HTTPS.</summary>
    [Fact]
    public async Task UseKTls_twice()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.UseKTls(Site.Certificate, https => https.SslProtocols = SslProtocols.Tls12).UseKTls(Site.Certificate)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.StartsWith("Tls12", await client.GetStringAsync("tls"), StringComparison.Ordinal);
        Assert.Equal(Plane(isKTls: true), await client.GetStringAsync("plane"));
        Assert.DoesNotContain(_log.Lines, line => line.Contains("stock HTTPS", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Without_the_transport_stock_serves_and_one_warning_tells()
    {
        WebApplicationBuilder builder = Builder(isKTls: false);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseKTls(Site.Certificate)));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls: false);
        await AssertServesAsync(site, isKTls: false);
        Assert.Single(_log.Lines, line => line.StartsWith("Warning: KTls leaves the endpoint 127.0.0.1:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Options_for_stock_alone_are_told_once()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.UseKTls(Site.Certificate, https => https.ClientCertificateMode = ClientCertificateMode.DelayCertificate)));
        await using Site site = await Site.StartAsync(builder);
        await AssertServesAsync(site, isKTls: false);
        await AssertServesAsync(site, isKTls: false);
        Assert.Single(_log.Lines, line => line.EndsWith("because ClientCertificateMode is DelayCertificate.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnAuthenticate_sees_the_certificate(bool isKTls)
    {
        SslServerAuthenticationOptions? seen = null;
        await using Site site = await Site.StartAsync(isKTls, https => https.OnAuthenticate = (_, options) => seen = options);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.Equal("small", await client.GetStringAsync("small"));
        Assert.Same(Site.Certificate, seen!.ServerCertificate);
        Assert.Same(Site.Certificate, seen.ServerCertificateContext!.TargetCertificate);
        Assert.Null(seen.ServerCertificateSelectionCallback);
    }

    /// <summary>Kestrel looks in the stores for the key.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_whose_key_is_in_the_store(bool isKTls)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(Site.CreateCertificate("in.the.store").Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.PersistKeySet);
        using X509Certificate2 alone = X509CertificateLoader.LoadCertificate(certificate.RawData);
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser, OpenFlags.ReadWrite);
        store.Add(certificate);
        try
        {
            await using Site site = await Site.StartAsync(isKTls, https => https.ServerCertificate = alone);
            await AssertServesAsync(site, isKTls: false);
        }
        finally
        {
            store.Remove(certificate);
        }
    }

    /// <summary>A certificate for clients is refused, for one connection, whoever serves.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_selected_certificate_that_is_not_for_servers(bool isKTls)
    {
        using X509Certificate2 forClients = Site.CreateCertificate("localhost", usage: "1.3.6.1.5.5.7.3.2");
        int selected = 0;
        await using Site site = await Site.StartAsync(isKTls, https => https.ServerCertificateSelector = (_, _) => selected++ == 0 ? forClients : Site.Certificate);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("small"));
        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    [Fact]
    public async Task No_certificate_in_the_store()
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseKTls(StoreName.My, "nobody has this name")));
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => Site.StartAsync(builder));
        Assert.Contains("nobody has this name", e.Message, StringComparison.Ordinal);
    }

    private static string Plane(bool isKTls) => !isKTls ? "stock" : Site.KernelHasTls ? "Kernel" : "SslStream";

    private static async Task AssertServesAsync(Site site, bool isKTls)
    {
        Assert.StartsWith("https://", site.Addresses[0], StringComparison.Ordinal);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.Equal(Plane(isKTls), await client.GetStringAsync("plane"));
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
    }

    private async Task AssertUseKTlsServesAsync(Action<ListenOptions> use, string version, string plane)
    {
        WebApplicationBuilder builder = Builder(isKTls: true);
        AddDefaultCertificate(builder);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => use(listen)));
        await using Site site = await Site.StartAsync(builder);
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        Assert.StartsWith(version, await client.GetStringAsync("tls"), StringComparison.Ordinal);
        Assert.Equal(plane, await client.GetStringAsync("plane"));
        Assert.Equal(Site.Megabyte, await client.GetByteArrayAsync("large"));
    }

    private WebApplicationBuilder Builder(bool isKTls, params string[] arguments)
    {
        WebApplicationBuilder builder = Site.CreateBuilder(arguments);
        builder.Logging.AddProvider(_log);
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        return builder;
    }

    private void AddDefaultCertificate(WebApplicationBuilder builder) => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
    {
        ["Kestrel:Certificates:Default:Path"] = _file,
        ["Kestrel:Certificates:Default:Password"] = Password,
    });
}
