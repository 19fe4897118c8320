using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tests;

/// <summary>Certificates by name in the configuration (Sni): each name has its own options, the same as under stock HTTPS.</summary>
public sealed class CertificatesByNameTests : IDisposable
{
    private const string Password = "secret";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly LogLines _log = new();
    private readonly X509Certificate2 _one = Site.CreateCertificate("one.example");
    private readonly X509Certificate2 _wild = Site.CreateCertificate("*.wild.example");

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _log.Dispose();
        _one.Dispose();
        _wild.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_name_has_its_options(bool isKTls)
    {
        int validated = 0;
        int authenticated = 0;
        await using Site site = await StartAsync(isKTls, clientCertificateMode: "RequireCertificate", https =>
        {
            https.ClientCertificateValidation = (_, _, _) => ++validated != 0;
            https.OnAuthenticate = (connection, _) =>
            {
                Assert.NotEmpty(connection.ConnectionId);
                authenticated++;
            };
        });

        Answer one = await AskAsync(site, "one.example", HttpVersion.Version20);
        Assert.Equal((_one, Plane(isKTls), "Tls13 one.example https HTTP/2", "none"), (one.Certificate, one.Plane, one.Tls, one.Client));
        Assert.Equal(0, validated);

        using X509Certificate2 somebody = Site.CreateCertificate("somebody");
        Answer wild = await AskAsync(site, "a.wild.example", HttpVersion.Version11, somebody);
        Assert.Equal((_wild, Plane(isKTls), "Tls12 a.wild.example https HTTP/1.1", "CN=somebody"), (wild.Certificate, wild.Plane, wild.Tls, wild.Client));
        Assert.Equal(1, validated);
        Assert.Equal(2, authenticated);

        // No certificate where one is required; HTTP/2 where the name has none; a name that nobody has.
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(site, "a.wild.example", HttpVersion.Version11));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(site, "a.wild.example", HttpVersion.Version20, somebody));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(site, "two.example", HttpVersion.Version11));

        // The endpoint lives on.
        one = await AskAsync(site, "one.example", HttpVersion.Version11);
        Assert.Equal((_one, Plane(isKTls)), (one.Certificate, one.Plane));
    }

    /// <summary>A name that asks for certificates after the handshake: only SslStream can, and which name it is comes too late to step aside.</summary>
    [Fact]
    public async Task A_name_that_asks_later_keeps_the_endpoint_stock()
    {
        await using Site site = await StartAsync(isKTls: true, clientCertificateMode: "delayCertificate", https => https.AllowAnyClientCertificate());
        using X509Certificate2 somebody = Site.CreateCertificate("somebody");
        Answer wild = await AskAsync(site, "a.wild.example", HttpVersion.Version11, somebody);
        Assert.Equal(("stock", "CN=somebody"), (wild.Plane, wild.Client));
        Assert.Contains(_log.Lines, line => line.StartsWith("Warning: Stock HTTPS serves", StringComparison.Ordinal));
    }

    private static string Plane(bool isKTls) => !isKTls ? "stock" : Site.KernelHasTls ? "Kernel" : "SslStream";

    private async Task<Site> StartAsync(bool isKTls, string clientCertificateMode, Action<HttpsConnectionAdapterOptions> configure)
    {
        WebApplicationBuilder builder = Site.CreateBuilder();
        builder.Logging.AddProvider(_log);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Site:Sni:one.example:Certificate:Path"] = Export(_one, "one.pfx"),
            ["Kestrel:Endpoints:Site:Sni:one.example:Certificate:Password"] = Password,
            ["Kestrel:Endpoints:Site:Sni:*.wild.example:Certificate:Path"] = Export(_wild, "wild.pfx"),
            ["Kestrel:Endpoints:Site:Sni:*.wild.example:Certificate:Password"] = Password,
            ["Kestrel:Endpoints:Site:Sni:*.wild.example:Protocols"] = "Http1",
            ["Kestrel:Endpoints:Site:Sni:*.wild.example:SslProtocols:0"] = "Tls12",
            ["Kestrel:Endpoints:Site:Sni:*.wild.example:ClientCertificateMode"] = clientCertificateMode,
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(configure));
        if (isKTls)
        {
            builder.WebHost.UseKTls();
        }

        return await Site.StartAsync(builder);
    }

    private string Export(X509Certificate2 certificate, string name)
    {
        string file = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(file, certificate.Export(X509ContentType.Pkcs12, Password));
        return file;
    }

    private static async Task<Answer> AskAsync(Site site, string name, Version version, X509Certificate2? clientCertificate = null)
    {
        X509Certificate2? seen = null;
        var options = new SslClientAuthenticationOptions
        {
            ClientCertificates = clientCertificate is null ? null : [clientCertificate],
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                seen = new X509Certificate2(certificate!);
                return true;
            },
        };
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = options })
        {
            BaseAddress = new Uri(site.Addresses[0]), DefaultRequestVersion = version, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        client.DefaultRequestHeaders.Host = name;
        return new Answer(await client.GetStringAsync("plane"), await client.GetStringAsync("tls"), await client.GetStringAsync("certificate"), seen!);
    }

    private sealed record Answer(string Plane, string Tls, string Client, X509Certificate2 Certificate);
}
