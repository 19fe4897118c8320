using System.Security.Authentication;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>OCSP responses for stapling, as the openssl command makes them.</summary>
public sealed class OcspResponseTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    [Theory]
    [InlineData("-ndays 2")]
    [InlineData("-ndays 2 -resp_key_id")]
    [InlineData("-ndays 2 -resp_no_certs")]
    public void A_response_is_stapled_until_its_time_is_over(string options)
    {
        byte[] response = Respond("p256", options);
        CertificateCredential credential = Load("p256");
        Assert.True(credential.OcspResponse.IsEmpty);
        credential.OcspResponse = response;
        Assert.Equal(response, credential.OcspResponse);

        var parsed = new OcspResponse(response, credential.Certificate);
        Assert.Equal(response, parsed.At(DateTimeOffset.UtcNow.AddDays(1.9)));
        Assert.True(parsed.At(DateTimeOffset.UtcNow.AddDays(2.1)).IsEmpty);

        credential.OcspResponse = default;
        Assert.True(credential.OcspResponse.IsEmpty);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void The_time_is_that_of_the_options(SslProtocols version)
    {
        CertificateCredential credential = Load("p256");
        byte[] response = Respond("p256", "-ndays 2");
        credential.OcspResponse = response;
        Assert.Equal(response, Staple(DateTimeOffset.UtcNow.AddDays(1)));
        Assert.Empty(Staple(DateTimeOffset.UtcNow.AddDays(3)));

        byte[] Staple(DateTimeOffset now)
        {
            using var pair = new HandshakePair(
                new ServerHandshakeOptions { Credential = credential, Clock = new FakeClock { Now = now } },
                new ClientHandshakeOptions { ServerName = "localhost", Protocols = version, RequestOcspResponse = true });
            pair.Run();
            return pair.Client.PeerOcspResponse.ToArray();
        }
    }

    [Fact]
    public void A_response_that_no_message_can_hold_is_refused()
    {
        AssertRefused("an OCSP response of 65532 bytes is too long; 65531 are the most", Load("p256"), new byte[65532]);
        AssertRefused("the OCSP response is malformed", Load("p256"), new byte[65531]);
    }

    [Fact]
    public void Without_a_next_update_a_response_stays_good()
    {
        byte[] response = Respond("p256", string.Empty);
        Assert.Equal(response, new OcspResponse(response, Load("p256").Certificate).At(DateTimeOffset.UtcNow.AddYears(10)));
    }

    [Fact]
    public void A_file_has_it()
    {
        Respond("p256", "-ndays 1");
        var credential = CertificateCredential.FromFiles(new CertificateFiles
        {
            Certificate = files["p256.chain"],
            PrivateKey = files["p256.key"],
            OcspResponse = files["p256.ocsp"],
            ServerNames = ["given.example"],
        });
        Assert.Equal(File.ReadAllBytes(files["p256.ocsp"]), credential.OcspResponse);
        Assert.Equal(["given.example"], credential.ServerNames);
    }

    [Fact]
    public void What_is_no_response_about_the_certificate_is_refused()
    {
        byte[] response = Respond("p256", "-ndays 1");
        AssertRefused("the OCSP response is about another certificate", Load("p384"), response);
        AssertRefused("the OCSP response is not a successful one (status 6)", Load("p256"), [0x30, 0x03, 0x0a, 0x01, 0x06]);
        AssertRefused("the OCSP response is malformed", Load("p256"), "nothing of the kind"u8.ToArray());
        for (int i = 1; i < response.Length; i++)
        {
            AssertRefused("the OCSP response is malformed", Load("p256"), response[..i]);
        }

        AssertRefused("the OCSP response is malformed", Load("p256"), [.. response, 0]);
    }

    [Fact]
    public void A_file_with_another_response_is_named()
    {
        Respond("p256", "-ndays 1");
        files.Make("p384");
        var e = Assert.Throws<CredentialException>(() => CertificateCredential.FromFiles(new CertificateFiles
        {
            Certificate = files["p384.chain"],
            PrivateKey = files["p384.key"],
            OcspResponse = files["p256.ocsp"],
        }));
        Assert.Equal($"{files["p256.ocsp"]}: the OCSP response is about another certificate", e.Message);
    }

    private static void AssertRefused(string cause, CertificateCredential credential, byte[] response)
    {
        Assert.Equal(cause, Assert.Throws<CredentialException>(() => credential.OcspResponse = response).Message);
        Assert.True(credential.OcspResponse.IsEmpty);
    }

    private byte[] Respond(string kind, string options)
    {
        files.Make(kind);
        files.Run($"ocsp -issuer middle.pem -cert {kind}.pem -reqout {kind}.request");
        files.Run($"ocsp -index index.txt -CA middle.pem -rsigner middle.pem -rkey middle.key -reqin {kind}.request -respout {kind}.ocsp {options}");
        return File.ReadAllBytes(files[$"{kind}.ocsp"]);
    }

    private CertificateCredential Load(string kind)
    {
        files.Make(kind);
        return CertificateCredential.FromPem(files.Text($"{kind}.chain"), files.Text($"{kind}.key"));
    }
}
