using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls;
using KTls.Kestrel;

// What somebody writes who has nothing but the packages: a site, a server of files, and a client.
switch (args)
{
    case ["site", var port, var certificateFile]:
        await ServeSiteAsync(ushort.Parse(port), Certificate(certificateFile));
        break;
    case ["files", var port, var certificateFile, var file]:
        await ServeFileAsync(ushort.Parse(port), Certificate(certificateFile), file);
        break;
    case ["fetch", var port, var certificateFile]:
        await FetchAsync(ushort.Parse(port), certificateFile);
        break;
    default:
        Console.Error.WriteLine("site PORT CERTIFICATE | files PORT CERTIFICATE FILE | fetch PORT CERTIFICATE");
        return 2;
}

return 0;

static X509Certificate2 Certificate(string file)
{
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
    var names = new SubjectAlternativeNameBuilder();
    names.AddDnsName("localhost");
    request.CertificateExtensions.Add(names.Build());
    X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
    File.WriteAllText(file, certificate.ExportCertificatePem());
    return certificate;
}

static async Task ServeSiteAsync(ushort port, X509Certificate2 certificate)
{
    WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
    builder.WebHost.UseKTls();
    builder.WebHost.UseKestrelHttpsConfiguration();
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.UseKTls(certificate)));
    WebApplication site = builder.Build();
    site.Run(context => context.Response.WriteAsync($"{context.Request.Protocol} {context.Features.Get<IKTlsFeature>()?.Stream.Sending.Kind}"));
    await site.RunAsync();
}

static async Task ServeFileAsync(ushort port, X509Certificate2 certificate, string path)
{
    using var file = File.OpenHandle(path);
    using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
    listener.Listen();
    Console.WriteLine("listening");
    var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
    while (true)
    {
        await using KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), options);
        using var request = new StreamReader(stream, leaveOpen: true);
        while (await request.ReadLineAsync() is { Length: > 0 })
        {
        }

        await stream.WriteAsync("HTTP/1.0 200 OK\r\n\r\n"u8.ToArray());
        await stream.SendFileAsync(file, offset: 0, count: RandomAccess.GetLength(file));
        await stream.ShutdownAsync();
    }
}

static async Task FetchAsync(ushort port, string certificateFile)
{
    var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
    trust.CustomTrustStore.ImportFromPemFile(certificateFile);
    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
    await socket.ConnectAsync("localhost", port);
    await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(socket, new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trust });
    await stream.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
    using var received = new MemoryStream();
    await stream.CopyToAsync(received);
    Console.WriteLine($"{received.Length} bytes, received by {stream.Receiving.Kind}");
}
