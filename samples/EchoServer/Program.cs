using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls;

if (args is not [string portText, string certificateFile] || !ushort.TryParse(portText, out ushort port))
{
    Console.Error.WriteLine("Usage: EchoServer PORT CERTIFICATE\nListens on 127.0.0.1 and writes the certificate, which clients are to trust, to a file.");
    return 2;
}

// A certificate of our own making. A real server loads one: see docs/CREDENTIALS.md.
using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
var names = new SubjectAlternativeNameBuilder();
names.AddDnsName("localhost");
request.CertificateExtensions.Add(names.Build());
using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());

using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
listener.Listen();
Console.WriteLine($"Listening on {listener.LocalEndPoint}");
var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
while (true)
{
    try
    {
        _ = EchoAsync(await listener.AcceptAsync());
    }
    catch (SocketException e)
    {
        // A client that is gone already, or descriptors are short: neither is the listener's end.
        Console.WriteLine($"No connection: {e.Message}");
        await Task.Delay(100);
    }
}

async Task EchoAsync(Socket socket)
{
    try
    {
        await using KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(socket, options);
        Console.WriteLine($"{socket.RemoteEndPoint}: {stream.SslProtocol}, sending by {stream.Sending.Kind}, receiving by {stream.Receiving.Kind}");
        await stream.CopyToAsync(stream);
        await stream.ShutdownAsync();
    }
    catch (Exception e)
    {
        Console.WriteLine($"A connection ended: {e.Message}");

        // A handshake that fails leaves it open.
        socket.Dispose();
    }
}
