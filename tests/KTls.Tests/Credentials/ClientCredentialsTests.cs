using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Options;

namespace KTls.Tests.Credentials;

/// <summary>KTlsOptions.ClientCredentials in whole handshakes.</summary>
public sealed class ClientCredentialsTests
{
    private static readonly CertificateCredential Own = Sites.Ecdsa("client.example");

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.Tls13)]
    public async Task A_server_that_asks_gets_the_certificate(DataPlanePolicy policy, SslProtocols protocol)
    {
        var kernelOptions = new KTlsOptions { DataPlane = policy, ClientCredentials = new ClientCredentials(Own) };
        Assert.Equal(Own.Certificate.RawData, await ConnectAsync(kernelOptions, protocol));
    }

    [Theory]
    [InlineData(SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls12)]
    public async Task The_key_may_be_elsewhere(SslProtocols protocol)
    {
        (CertificateCredential credential, X509Certificate2 certificate) = RemoteKey();
        var kernelOptions = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, ClientCredentials = new ClientCredentials(credential) };
        Assert.Equal(certificate.RawData, await ConnectAsync(kernelOptions, protocol));
    }

    // A resumed session has the identity of the one before, so other credentials must begin anew.
    [Fact]
    public void Sessions_are_kept_apart_by_certificate()
    {
        static string Key(params CertificateCredential[] credentials) =>
            ClientOptions.SessionKey(TestPki.Client(), "localhost", credentials.Length == 0 ? null : new ClientCredentials(credentials), new IPEndPoint(IPAddress.Loopback, 443));

        CertificateCredential other = Sites.Ecdsa("other.example");
        Assert.Equal(Key(Own), Key(Own));
        Assert.Equal(4, new HashSet<string> { Key(), Key(Own), Key(other), Key(Own, other) }.Count);
    }

    [Fact]
    public async Task A_key_that_SslStream_cannot_have_is_a_clear_refusal()
    {
        using var log = new LogLines();
        var kernelOptions = new KTlsOptions { DataPlane = DataPlanePolicy.SslStream, ClientCredentials = new ClientCredentials(RemoteKey().Credential), LoggerFactory = log };
        using TcpPair tcp = TcpPair.Connect();
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), kernelOptions));
        Assert.Equal("The client cannot show its certificate: the options say so; SslStream cannot use the credential: its private key is elsewhere.", e.Message);
        Assert.DoesNotContain(log.Lines, line => line.Contains("SslStream takes the connection over", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ClientCertificates")]
    [InlineData("ClientCertificateContext")]
    [InlineData("LocalCertificateSelectionCallback")]
    public async Task Certificates_come_from_one_place(string setting)
    {
        SslClientAuthenticationOptions options = TestPki.Client();
        switch (setting)
        {
            case "ClientCertificates":
                options.ClientCertificates = [TestPki.Ecdsa];
                break;
            case "ClientCertificateContext":
                options.ClientCertificateContext = TestPki.Server().ServerCertificateContext;
                break;
            default:
                options.LocalCertificateSelectionCallback = (_, _, _, _, _) => TestPki.Ecdsa;
                break;
        }

        using TcpPair tcp = TcpPair.Connect();
        ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() =>
            KTlsStream.AuthenticateAsClientAsync(tcp.Client, options, new KTlsOptions { ClientCredentials = new ClientCredentials(Own) }));
        Assert.Contains("KTlsOptions.ClientCredentials", e.Message, StringComparison.Ordinal);
        Assert.Contains(setting, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SslStream_gets_every_option()
    {
        var options = new SslClientAuthenticationOptions
        {
            AllowRenegotiation = false,
            AllowRsaPkcs1Padding = false,
            AllowRsaPssPadding = false,
            AllowTlsResume = false,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateChainPolicy = TestPki.TrustRoot(),
            CertificateRevocationCheckMode = X509RevocationMode.Offline,
            CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]),
            EnabledSslProtocols = SslProtocols.Tls12,
#pragma warning disable SYSLIB0040 // Copied like the others.
            EncryptionPolicy = EncryptionPolicy.AllowNoEncryption,
#pragma warning restore SYSLIB0040
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            TargetHost = "target.example",
        };
        SslStreamCertificateContext context = TestPki.Server().ServerCertificateContext!;
        SslClientAuthenticationOptions copy = FallbackClientCredentials.WithContext(options, context);
        Assert.Same(context, copy.ClientCertificateContext);
        var untouched = new SslClientAuthenticationOptions();
        foreach (System.Reflection.PropertyInfo property in typeof(SslClientAuthenticationOptions).GetProperties())
        {
            if (property.Name is not ("ClientCertificates" or "ClientCertificateContext" or "LocalCertificateSelectionCallback"))
            {
                Assert.Equal(property.GetValue(options), property.GetValue(copy));
                Assert.True(!Equals(property.GetValue(untouched), property.GetValue(copy)), $"{property.Name} is not set by this test, so its copy is not tested.");
            }
        }
    }

    private static (CertificateCredential Credential, X509Certificate2 Certificate) RemoteKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 certificate = TestPki.Issue(key, "hsm.example");
        var here = CertificateCredential.FromCertificate(certificate);
        return (CertificateCredential.Create([certificate], new DelegateSigner(here.SignAsync)), certificate);
    }

    /// <returns>The certificate that the server saw.</returns>
    private static async Task<byte[]?> ConnectAsync(KTlsOptions kernelOptions, SslProtocols protocol)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        server.ClientCertificateRequired = true;
        server.CertificateChainPolicy = TestPki.TrustRoot();
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Server));
        Task handshake = peer.AuthenticateAsServerAsync(server);
        await using KTlsStream ours = await KTlsStream.AuthenticateAsClientAsync(tcp.Client, TestPki.Client(), kernelOptions);
        await handshake;
        await Transfer.OneWayAsync(peer, ours, 1000);
        return peer.RemoteCertificate?.GetRawCertData();
    }
}
