using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Request = System.Security.Cryptography.X509Certificates.CertificateRequest;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Whom a chain is asked for: a server never goes where a client's certificate sends it.</summary>
public sealed class DownloadTests
{
    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, false, true)]
    [InlineData(true, true, true)]
    public async Task A_server_fetches_no_certificates_unless_the_users_policy_says_so(bool isServer, bool hasPolicy, bool isFetched)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using X509Certificate2 certificate = Issue($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/issuer.cer");
        Task<int> counting = CountRequestsAsync(listener);
        X509ChainPolicy? users = hasPolicy ? new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck } : null;
        using var chain = new X509Chain { ChainPolicy = PeerCertificateValidation.CreatePolicy(users, X509RevocationMode.NoCheck, [], isServer) };
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, PeerCertificateValidation.Validate(chain, certificate, targetHost: null));
        listener.Stop();
        Assert.Equal(isFetched, await counting != 0);
    }

    // Whoever asks is told that there is nothing.
    private static async Task<int> CountRequestsAsync(TcpListener listener)
    {
        int requests = 0;
        try
        {
            while (true)
            {
                using Socket socket = await listener.AcceptSocketAsync();
                await socket.ReceiveAsync(new byte[1000]);
                await socket.SendAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
                requests++;
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The listener was stopped, in a wait for the next or before it.
            return requests;
        }
    }

    private static X509Certificate2 Issue(string issuerUrl)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new Request("CN=client", key, HashAlgorithmName.SHA256);

        // AuthorityInfoAccess with one caIssuers entry (RFC 5280 §4.2.2.1).
        byte[] url = Encoding.ASCII.GetBytes(issuerUrl);
        byte[] entry = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, (byte)url.Length, .. url];
        byte[] description = [0x30, (byte)entry.Length, .. entry];
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.1.1", [0x30, (byte)description.Length, .. description], critical: false));
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return request.Create(
            new X500DistinguishedName("CN=somebody"), X509SignatureGenerator.CreateForECDsa(issuer), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
    }
}
