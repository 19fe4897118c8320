using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Docs.Tests.Snippets;

/// <summary>Certificates from files.</summary>
public sealed class Credentials
{
    [Fact]
    public async Task Come_from_files()
    {
        string before = Environment.CurrentDirectory;
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        try
        {
            Environment.CurrentDirectory = folder.FullName;
            Directory.CreateDirectory("www");
            using X509Certificate2 other = TestPki.Issue(System.Security.Cryptography.RSA.Create(2048), "mail.example");
            await File.WriteAllTextAsync("www/fullchain.pem", TestPki.Ecdsa.ExportCertificatePem());
            await File.WriteAllTextAsync("www/privkey.pem", TestPki.Ecdsa.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            await File.WriteAllBytesAsync("mail.p12", other.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, "secret"));
            foreach ((string host, string subject) in new[] { ("localhost", "CN=localhost"), ("mail.example", "CN=mail.example") })
            {
                using TcpPair tcp = TcpPair.Connect();
                Task serving = ServeAsync(tcp.Server, "secret");
                SslClientAuthenticationOptions client = TestPki.Client();
                client.TargetHost = host;
                await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace });
                await serving;
                Assert.Equal(subject, stream.RemoteCertificate!.Subject);
            }
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }

    private static async Task ServeAsync(Socket socket, string password)
    {
        using var files = new ServerCredentialFiles(
        [
            new CertificateFiles { Certificate = "www/fullchain.pem", PrivateKey = "www/privkey.pem" },
            new CertificateFiles { Certificate = "mail.p12", Password = password },
        ]);
        var kernelOptions = new KTlsOptions { ServerCredentials = files.Credentials };
        await KTlsStream.AuthenticateAsServerAsync(socket, new SslServerAuthenticationOptions(), kernelOptions);
    }
}
