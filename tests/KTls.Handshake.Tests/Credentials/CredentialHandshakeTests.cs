using System.Security.Authentication;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Every kind of key in whole handshakes, here and elsewhere, of servers and of clients.</summary>
public sealed class CredentialHandshakeTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    public static TheoryData<string, SslProtocols, bool> Matrix()
    {
        var data = new TheoryData<string, SslProtocols, bool>();
        foreach (string kind in (string[])["p256", "p384", "p521", "rsa", "pss", "pss384", "ed25519"])
        {
            data.Add(kind, SslProtocols.Tls13, false);
            data.Add(kind, SslProtocols.Tls13, true);
            data.Add(kind, SslProtocols.Tls12, false);
            data.Add(kind, SslProtocols.Tls12, true);
        }

        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public void A_server_with_any_key(string kind, SslProtocols protocol, bool isElsewhere)
    {
        (CertificateCredential credential, Func<int> signatures) = Load(kind, isElsewhere);
        using var pair = new HandshakePair(new ServerHandshakeOptions { Credential = credential, Protocols = protocol });
        pair.Run();
        Assert.Equal(credential.Certificate, pair.Client.PeerCertificate);
        Assert.Equal(isElsewhere ? 1 : 0, signatures());
    }

    [Theory, MemberData(nameof(Matrix))]
    public void A_client_with_any_key(string kind, SslProtocols protocol, bool isElsewhere)
    {
        (CertificateCredential credential, Func<int> signatures) = Load(kind, isElsewhere);
        var credentials = new ClientCredentials(credential);
        using var pair = new HandshakePair(
            new ServerHandshakeOptions
            {
                Credential = TestCertificates.Ecdsa,
                Protocols = protocol,
                RequestClientCertificate = true,
                CertificateAuthorities = [credential.Certificates[^1].IssuerName.RawData],
            },
            new ClientHandshakeOptions
            {
                ServerName = "localhost",
                SelectCertificate = request => credentials.Select([.. request.CertificateAuthorities], request.Accepts),
            });
        pair.Run();
        Assert.Equal(credential.Certificate, pair.Server.PeerCertificate);
        Assert.Equal(isElsewhere ? 1 : 0, signatures());
    }

    /// <summary>A CertificateRequest is full at 64 KiB: what fits arrives, what does not is refused before any handshake.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls12)]
    public void Names_of_authorities_fit_into_one_CertificateRequest_or_are_refused(SslProtocols protocol)
    {
        byte[] name = TestCertificates.Ecdsa.Certificate.IssuerName.RawData;
        ServerHandshakeOptions With(int rest) => new()
        {
            Credential = TestCertificates.Ecdsa,
            Protocols = protocol,
            RequestClientCertificate = true,
            CertificateAuthorities = [name, new byte[rest]],
        };

        int most = ushort.MaxValue;
        while (Record.Exception(() => With(most)) is ArgumentException)
        {
            most--;
        }

        Assert.InRange(most, 65000, ushort.MaxValue - name.Length);
        IReadOnlyList<byte[]> seen = [];
        using var pair = new HandshakePair(With(most), new ClientHandshakeOptions
        {
            ServerName = "localhost",
            Limits = new HandshakeLimits { MaxMessageSize = 1 << 17 },
            SelectCertificate = request =>
            {
                seen = request.CertificateAuthorities;
                return TestCertificates.Ecdsa;
            },
        });
        pair.Run();
        Assert.Equal([name, new byte[most]], seen);
        Assert.Throws<ArgumentException>(() => With(most + 1));
        Assert.Throws<ArgumentException>(() => With(0));
    }

    [Fact]
    public void Names_of_authorities_that_are_added_later_do_not_count()
    {
        var names = new List<byte[]> { TestCertificates.Ecdsa.Certificate.IssuerName.RawData };
        var options = new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, CertificateAuthorities = names };
        names.Add([]);
        Assert.Single(options.CertificateAuthorities);
    }

    [Theory]
    [InlineData(SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls12)]
    public void The_OCSP_response_goes_to_clients_that_ask(SslProtocols protocol)
    {
        files.Make("p256");
        files.Run("ocsp -issuer middle.pem -cert p256.pem -reqout p256.request");
        files.Run("ocsp -index index.txt -CA middle.pem -rsigner middle.pem -rkey middle.key -reqin p256.request -respout p256.ocsp -ndays 1");
        var credential = CertificateCredential.FromFiles(new CertificateFiles { Certificate = files["p256.chain"], PrivateKey = files["p256.key"], OcspResponse = files["p256.ocsp"] });
        foreach (bool asks in (bool[])[true, false])
        {
            using var pair = new HandshakePair(
                new ServerHandshakeOptions { Credential = credential, Protocols = protocol },
                new ClientHandshakeOptions { ServerName = "localhost", RequestOcspResponse = asks });
            pair.Run();
            Assert.Equal(asks ? File.ReadAllBytes(files["p256.ocsp"]) : [], pair.Client.PeerOcspResponse);
        }
    }

    private (CertificateCredential Credential, Func<int> Signatures) Load(string kind, bool isElsewhere)
    {
        files.Make(kind);
        CertificateCredential credential = CertificateCredential.FromPem(files.Text($"{kind}.chain"), files.Text($"{kind}.key"));
        if (!isElsewhere)
        {
            return (credential, () => 0);
        }

        var signer = new Elsewhere(credential);
        return (CertificateCredential.Create(credential.Certificates, signer), () => signer.Signatures);
    }

    private sealed class Elsewhere(CertificateCredential key) : ICertificateSigner
    {
        public int Signatures { get; private set; }

        public async ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Signatures++;
            return await key.SignAsync(scheme, content, cancellationToken);
        }
    }
}
