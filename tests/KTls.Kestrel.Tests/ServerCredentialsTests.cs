using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;

namespace KTls.Kestrel.Tests;

/// <summary>Endpoints with the certificates of KTls, which stock HTTPS does not know.</summary>
public sealed class ServerCredentialsTests : IDisposable
{
    private readonly X509Certificate2 _other = Site.CreateCertificate("other.example");
    private readonly ServerCredentials _credentials;

    public ServerCredentialsTests()
    {
        CertificateCredential other = CertificateCredential.FromCertificate(_other);
        other.ServerNames = ["other.example"];
        _credentials = new ServerCredentials(CertificateCredential.FromCertificate(Site.Certificate), other);
    }

    public void Dispose() => _other.Dispose();

    [Theory]
    [InlineData(DataPlanePolicy.PreferKernel)]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task They_are_all_that_an_endpoint_needs(DataPlanePolicy dataPlane)
    {
        await using Site site = await StartAsync(listen => listen.UseKTls(_credentials, https => https.HandshakeTimeout = TimeSpan.FromSeconds(20), kernel => kernel.DataPlane = dataPlane));
        await AssertEachNameHasItsCertificateAsync(site);
    }

    [Fact]
    public async Task They_may_be_set_among_the_options()
    {
        await using Site site = await StartAsync(listen => listen.UseKTls(_ => { }, kernel => kernel.ServerCredentials = _credentials));
        await AssertEachNameHasItsCertificateAsync(site);
    }

    [Fact]
    public async Task And_beside_ready_options()
    {
        await using Site site = await StartAsync(listen => listen.UseKTls(new HttpsConnectionAdapterOptions(), kernel => kernel.ServerCredentials = _credentials));
        await AssertEachNameHasItsCertificateAsync(site);
    }

    [Fact]
    public async Task They_serve_an_endpoint_of_the_configuration()
    {
        WebApplicationBuilder builder = Site.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0" });
        builder.WebHost.UseKTls().ConfigureKestrel((context, kestrel) => kestrel.Configure(context.Configuration.GetSection("Kestrel"))
            .Endpoint("Site", endpoint => endpoint.ListenOptions.UseKTls(_credentials)));
        await using Site site = await Site.StartAsync(builder);
        await AssertEachNameHasItsCertificateAsync(site);
    }

    [Fact]
    public async Task Beside_a_certificate_they_are_an_error_at_the_start()
    {
        await AssertStartFailsAsync("leave one of both out", listen => listen.UseKTls(Site.Certificate, null, kernel => kernel.ServerCredentials = _credentials));
        await AssertStartFailsAsync("leave one of both out", listen => listen.UseKTls(_credentials, https => https.ServerCertificateSelector = (_, _) => Site.Certificate));
        await AssertStartFailsAsync("ClientCertificateMode is DelayCertificate", listen => listen.UseKTls(_credentials, https => https.ClientCertificateMode = ClientCertificateMode.DelayCertificate));
    }

    /// <summary>What Kestrel makes by itself has certificates that Kestrel finds.</summary>
    [Theory]
    [InlineData("Certificate")]
    [InlineData("Sni:localhost:Certificate")]
    public async Task For_the_configuration_alone_they_are_too(string certificate)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, Site.Certificate.Export(X509ContentType.Pkcs12, "secret"));
            WebApplicationBuilder builder = Site.CreateBuilder();
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:Site:Url"] = "https://127.0.0.1:0",
                [$"Kestrel:Endpoints:Site:{certificate}:Path"] = file,
                [$"Kestrel:Endpoints:Site:{certificate}:Password"] = "secret",
            });
            builder.WebHost.UseKTls(kernel => kernel.ServerCredentials = _credentials);
            InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => Site.StartAsync(builder));
            Assert.Contains("leave one of both out", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task AssertStartFailsAsync(string reason, Action<ListenOptions> use)
    {
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(use));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    private static async Task<Site> StartAsync(Action<ListenOptions> use)
    {
        WebApplicationBuilder builder = Site.CreateBuilder();
        builder.WebHost.UseKTls().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, use));
        return await Site.StartAsync(builder);
    }

    private async Task AssertEachNameHasItsCertificateAsync(Site site)
    {
        foreach ((string name, X509Certificate2 expected) in new[] { ("other.example", _other), ("localhost", Site.Certificate) })
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
            using var client = new HttpClient(new SocketsHttpHandler { SslOptions = options }) { BaseAddress = new Uri(site.Addresses[0]) };
            client.DefaultRequestHeaders.Host = name;
            Assert.NotEqual("stock", await client.GetStringAsync("plane"));
            Assert.Equal(expected, seen);
        }
    }
}
