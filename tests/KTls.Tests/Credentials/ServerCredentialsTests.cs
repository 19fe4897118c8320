using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using KTls.Fallback;
using KTls.Handshake;

namespace KTls.Tests.Credentials;

/// <summary>KTlsOptions.ServerCredentials in whole handshakes.</summary>
public sealed class ServerCredentialsTests
{
    private static readonly CertificateCredential First = Sites.Ecdsa("first.example");
    private static readonly CertificateCredential Second = Sites.Ecdsa("second.example");
    private static readonly CertificateCredential SecondRsa = Sites.Rsa("second.example");

    private static readonly CipherSuitesPolicy CbcOnly = new([TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]);

    [Theory]
    [InlineData("first.example", SslProtocols.Tls13, null)]
    [InlineData("second.example", SslProtocols.Tls13, null)]
    [InlineData("SECOND.example", SslProtocols.Tls12, null)]
    [InlineData("second.example", SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)]
    [InlineData("second.example", SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)]
    public async Task Each_client_gets_the_certificate_for_its_name_and_suites(string host, SslProtocols protocol, TlsCipherSuite? suite)
    {
        (KTlsStream server, SslStream client) = await ConnectAsync(Sites.Options(First, SecondRsa, Second), Sites.Client(host, options =>
        {
            options.EnabledSslProtocols = protocol;
            options.CipherSuitesPolicy = suite is { } only ? new CipherSuitesPolicy([only]) : null;
        }));
        await using (server)
        await using (client)
        {
            bool isRsa = suite == TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
            CertificateCredential expected = host == "first.example" ? First : isRsa ? SecondRsa : Second;
            Assert.Equal(expected.Certificate, client.RemoteCertificate);
            Assert.Equal(DataPlaneKind.UserSpace, server.Sending.Kind);
            await Transfer.BothWaysAsync(server, client, 10_000);
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, false)]
    [InlineData(DataPlanePolicy.UserSpace, true)]
    [InlineData(DataPlanePolicy.SslStream, false)]
    public async Task An_unknown_name_can_be_refused(DataPlanePolicy policy, bool isForSslStream)
    {
        var options = new KTlsOptions { DataPlane = policy, ServerCredentials = new ServerCredentials(First) { RefusesUnknownNames = true } };
        TlsAlertException alert = await FailAsync(options, "unknown.example", client => client.CipherSuitesPolicy = isForSslStream ? CbcOnly : null);
        Assert.Equal(AlertDescription.UnrecognizedName, alert.Description);
        Assert.Equal("The client asks for a name that no credential has.", alert.Message);
    }

    [Theory]
    [InlineData("first.example")]
    [InlineData("second.example")]
    public async Task SslStream_serves_with_the_same_credentials(string host)
    {
        (KTlsStream server, SslStream client) = await ConnectAsync(Sites.Options(First, SecondRsa), Sites.Client(host, options =>
        {
            options.EnabledSslProtocols = SslProtocols.Tls12;
            options.CipherSuitesPolicy = CbcOnly;
        }));
        await using (server)
        await using (client)
        {
            Assert.Equal((host == "first.example" ? First : SecondRsa).Certificate, client.RemoteCertificate);
            Assert.Equal(DataPlaneKind.SslStream, server.Sending.Kind);
            await Transfer.OneWayAsync(server, client, 10_000);
        }
    }

    /// <summary>A client of TLS 1.2 lists signature schemes that none of its suites can use.</summary>
    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)]
    public async Task SslStream_gets_the_certificate_for_the_suites(TlsCipherSuite suite)
    {
        (KTlsStream server, SslStream client) = await ConnectAsync(Sites.Options(First, SecondRsa, Second), Sites.Client("second.example", options =>
        {
            options.EnabledSslProtocols = SslProtocols.Tls12;
            options.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
        }));
        await using (server)
        await using (client)
        {
            Assert.Equal((suite == TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 ? Second : SecondRsa).Certificate, client.RemoteCertificate);
            Assert.Equal(DataPlaneKind.SslStream, server.Sending.Kind);
        }
    }

    /// <summary>What a client offers in TLS 1.3 says nothing where the server does not speak it, and a suite that the server's policy leaves out neither.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SslStream_gets_the_certificate_for_what_the_server_speaks(bool hasPolicy)
    {
        var options = new SslServerAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 };
        if (hasPolicy)
        {
            options = new SslServerAuthenticationOptions { CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]) };
        }

        SslClientAuthenticationOptions offer = Sites.Client("second.example", client => client.CipherSuitesPolicy = new CipherSuitesPolicy(
            [
                TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
                .. hasPolicy ? [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256] : Array.Empty<TlsCipherSuite>(),
            ]));
        (KTlsStream server, SslStream client) = await ConnectAsync(Sites.Options(First, Second, SecondRsa), offer, options);
        await using (server)
        await using (client)
        {
            Assert.Equal(SecondRsa.Certificate, client.RemoteCertificate);
            Assert.Equal(DataPlaneKind.SslStream, server.Sending.Kind);
        }
    }

    [Theory]
    [InlineData("first.example")]
    [InlineData("second.example")]
    public async Task SslStream_serves_before_the_name_is_known(string host)
    {
        KTlsOptions kernelOptions = Sites.Options(First, Second, SecondRsa);
        kernelOptions.DataPlane = DataPlanePolicy.SslStream;
        (KTlsStream server, SslStream client) = await ConnectAsync(kernelOptions, Sites.Client(host));
        await using (server)
        await using (client)
        {
            // RSA, which every client can verify.
            Assert.Equal((host == "first.example" ? First : SecondRsa).Certificate, client.RemoteCertificate);
            Assert.Equal(DataPlaneKind.SslStream, server.Sending.Kind);
        }
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task An_internationalized_name_finds_its_certificate(DataPlanePolicy plane)
    {
        CertificateCredential books = Sites.Ecdsa("xn--bcher-kva.example");
        KTlsOptions kernelOptions = Sites.Options(First, books);
        kernelOptions.DataPlane = plane;
        (KTlsStream server, SslStream client) = await ConnectAsync(kernelOptions, Sites.Client("xn--bcher-kva.example"));
        await using (server)
        await using (client)
        {
            Assert.Equal(books.Certificate, client.RemoteCertificate);
        }
    }

    [Fact]
    public async Task A_key_that_SslStream_cannot_have_is_a_clear_refusal_after_the_ClientHello()
    {
        TlsAlertException alert = await FailAsync(Sites.Options(RemoteKey("first.example")), "first.example", options =>
        {
            options.EnabledSslProtocols = SslProtocols.Tls12;
            options.CipherSuitesPolicy = CbcOnly;
        });
        Assert.Equal(AlertDescription.HandshakeFailure, alert.Description);
        Assert.Equal(
            "The client is not served: the client offers no cipher suite that KTls and the certificate have; SslStream cannot use the credential: its private key is elsewhere.",
            alert.Message);
    }

    [Fact]
    public async Task A_key_that_SslStream_cannot_have_is_a_clear_refusal_before_the_ClientHello()
    {
        KTlsOptions kernelOptions = Sites.Options(RemoteKey("first.example"));
        kernelOptions.DataPlane = DataPlanePolicy.SslStream;
        TlsAlertException alert = await FailAsync(kernelOptions, "first.example");
        Assert.Equal("The client is not served: the options say so; SslStream cannot use the credential: its private key is elsewhere.", alert.Message);
    }

    [Fact]
    public async Task The_client_hears_why()
    {
        using TcpPair tcp = TcpPair.Connect();
        var refusing = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, ServerCredentials = new ServerCredentials(First) { RefusesUnknownNames = true } };
        Task<KTlsStream> server = KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), refusing);
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() =>
            KTlsStream.AuthenticateAsClientAsync(tcp.Client, Sites.Client("unknown.example"), new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace }));
        TlsAlertException alert = Assert.IsType<TlsAlertException>(e.InnerException);
        Assert.True(alert.ReceivedFromPeer);
        Assert.Equal(AlertDescription.UnrecognizedName, alert.Description);
        await Assert.ThrowsAsync<AuthenticationException>(() => server);
    }

    [Theory]
    [InlineData("ServerCertificate")]
    [InlineData("ServerCertificateContext")]
    [InlineData("ServerCertificateSelectionCallback")]
    public async Task Certificates_come_from_one_place(string setting)
    {
        var options = new SslServerAuthenticationOptions();
        switch (setting)
        {
            case "ServerCertificate":
                options.ServerCertificate = TestPki.Ecdsa;
                break;
            case "ServerCertificateContext":
                options.ServerCertificateContext = TestPki.Server().ServerCertificateContext;
                break;
            default:
                options.ServerCertificateSelectionCallback = (_, _) => TestPki.Ecdsa;
                break;
        }

        using TcpPair tcp = TcpPair.Connect();
        ArgumentException e = await Assert.ThrowsAsync<ArgumentException>(() => KTlsStream.AuthenticateAsServerAsync(tcp.Server, options, Sites.Options(First)));
        Assert.Contains("KTlsOptions.ServerCredentials", e.Message, StringComparison.Ordinal);
        Assert.Contains(setting, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SslStream_gets_every_option()
    {
        var options = new SslServerAuthenticationOptions
        {
            AllowRenegotiation = true,
            AllowRsaPkcs1Padding = false,
            AllowRsaPssPadding = false,
            AllowTlsResume = false,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateChainPolicy = TestPki.TrustRoot(),
            CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.Offline,
            CipherSuitesPolicy = CbcOnly,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls12,
#pragma warning disable SYSLIB0040 // Copied like the others.
            EncryptionPolicy = EncryptionPolicy.AllowNoEncryption,
#pragma warning restore SYSLIB0040
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        };
        SslStreamCertificateContext context = TestPki.Server().ServerCertificateContext!;
        SslServerAuthenticationOptions copy = FallbackCredentials.WithContext(options, context);
        Assert.Same(context, copy.ServerCertificateContext);
        var untouched = new SslServerAuthenticationOptions();
        foreach (System.Reflection.PropertyInfo property in typeof(SslServerAuthenticationOptions).GetProperties())
        {
            if (!property.Name.StartsWith("ServerCertificate", StringComparison.Ordinal))
            {
                Assert.Equal(property.GetValue(options), property.GetValue(copy));
                Assert.True(!Equals(property.GetValue(untouched), property.GetValue(copy)), $"{property.Name} is not set by this test, so its copy is not tested.");
            }
        }
    }

    private static CertificateCredential RemoteKey(string host)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return CertificateCredential.Create([TestPki.Issue(key, host)], new DelegateSigner((_, content, _) =>
            ValueTask.FromResult(key.SignData(content.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))));
    }

    private static async Task<TlsAlertException> FailAsync(KTlsOptions kernelOptions, string host, Action<SslClientAuthenticationOptions>? change = null)
    {
        AuthenticationException e = await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(kernelOptions, Sites.Client(host, change)));
        TlsAlertException alert = Assert.IsType<TlsAlertException>(e.InnerException);
        Assert.False(alert.ReceivedFromPeer);
        return alert;
    }

    // A server's failure ends the client, too, and is what comes out.
    private static async Task<(KTlsStream Server, SslStream Client)> ConnectAsync(KTlsOptions kernelOptions, SslClientAuthenticationOptions client, SslServerAuthenticationOptions? options = null)
    {
        TcpPair tcp = TcpPair.Connect();
        var peer = new SslStream(new NetworkStream(tcp.Client, ownsSocket: true));
        Task handshake = peer.AuthenticateAsClientAsync(client);
        try
        {
            KTlsStream server = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, options ?? new SslServerAuthenticationOptions(), kernelOptions).WaitAsync(TimeSpan.FromSeconds(20));
            await handshake;
            return (server, peer);
        }
        catch
        {
            tcp.Server.Dispose();
            await Assert.ThrowsAnyAsync<Exception>(() => handshake);
            throw;
        }
    }
}
