using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Every format, in files that the openssl command wrote.</summary>
public sealed class FormatTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    public static TheoryData<string> KeyKinds => ["p256", "p384", "p521", "rsa", "pss", "pss384", "ed25519"];

    [Theory, MemberData(nameof(KeyKinds))]
    public void Pem_files(string kind)
    {
        files.Make(kind);
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.chain"], PrivateKey = files[$"{kind}.key"] });
    }

    [Theory, MemberData(nameof(KeyKinds))]
    public void Pem_texts(string kind)
    {
        files.Make(kind);
        AssertIs(kind, CertificateCredential.FromPem(files.Text($"{kind}.chain"), files.Text($"{kind}.key")));
    }

    [Theory, MemberData(nameof(KeyKinds))]
    public void All_in_one_pem_file_in_any_order(string kind)
    {
        files.Make(kind);
        string all = "What openssl s_client prints around it\n" + files.Text("root.pem") + files.Text("middle.pem") + files.Text($"{kind}.key") + "\n"
            + files.Text("middle.pem") + files.Text($"{kind}.pem").ReplaceLineEndings("\r\n") + "and more";
        File.WriteAllText(files[$"{kind}.all"], all);
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.all"] });
    }

    [Theory, MemberData(nameof(KeyKinds))]
    public void An_encrypted_pkcs8_key(string kind)
    {
        files.Make(kind);
        files.Run($"pkcs8 -topk8 -in {kind}.key -out {kind}.enc -passout PASSWORD");
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.chain"], PrivateKey = files[$"{kind}.enc"], Password = OpenSslFiles.Password });
    }

    [Theory]
    [InlineData("-v2 aes-128-cbc -v2prf hmacWithSHA512")]
    [InlineData("-v2 des3 -v2prf hmacWithSHA1")]
    [InlineData("-v1 PBE-SHA1-3DES")]
    public void An_otherwise_encrypted_pkcs8_key(string encryption)
    {
        files.Make("p256");
        string name = $"{encryption.Replace(' ', '_')}.enc";
        files.Run($"pkcs8 -topk8 -in p256.key -out {name} -passout PASSWORD {encryption}");
        AssertLoads("p256", new CertificateFiles { Certificate = files["p256.chain"], PrivateKey = files[name], Password = OpenSslFiles.Password });
    }

    [Theory, MemberData(nameof(KeyKinds))]
    public void Der_files_and_a_chain_in_pkcs7(string kind)
    {
        files.Make(kind);
        files.Run($"x509 -in {kind}.pem -outform der -out {kind}.cer");
        files.Run($"pkcs8 -topk8 -nocrypt -in {kind}.key -outform der -out {kind}.key.der");
        files.Run($"crl2pkcs7 -nocrl -certfile root.pem -certfile middle.pem -outform der -out {kind}.cas.p7b");
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.cer"], PrivateKey = files[$"{kind}.key.der"], Chain = files[$"{kind}.cas.p7b"] });
    }

    [Fact]
    public void An_encrypted_key_in_der()
    {
        files.Make("rsa");
        files.Run("pkcs8 -topk8 -in rsa.key -outform der -out rsa.enc.der -passout PASSWORD");
        AssertLoads("rsa", new CertificateFiles { Certificate = files["rsa.chain"], PrivateKey = files["rsa.enc.der"], Password = OpenSslFiles.Password });
    }

    [Theory]
    [InlineData("pem")]
    [InlineData("der")]
    public void Pkcs7_with_the_certificate_and_its_chain(string form)
    {
        files.Make("p384");
        files.Run($"crl2pkcs7 -nocrl -certfile middle.pem -certfile p384.pem -outform {form} -out p384.{form}.p7b");
        AssertLoads("p384", new CertificateFiles { Certificate = files[$"p384.{form}.p7b"], PrivateKey = files["p384.key"] });
    }

    [Theory, MemberData(nameof(KeyKinds))]
    public void Pkcs12_as_openssl_makes_it_today(string kind)
    {
        files.Make(kind);
        files.Run($"pkcs12 -export -in {kind}.pem -inkey {kind}.key -certfile middle.pem -out {kind}.p12 -passout PASSWORD");
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.p12"], Password = OpenSslFiles.Password });
        AssertIs(kind, CertificateCredential.FromPkcs12(File.ReadAllBytes(files[$"{kind}.p12"]), OpenSslFiles.Password));
    }

    [Theory]
    [InlineData("-legacy")]
    [InlineData("-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1")]
    [InlineData("-keypbe AES-256-CBC -certpbe NONE -macalg sha512")]
    [InlineData("-nomac")]
    public void Pkcs12_of_other_makes(string options)
    {
        files.Make("rsa");
        string name = $"{options.Replace(' ', '_')}.p12";
        files.Run($"pkcs12 -export -in rsa.pem -inkey rsa.key -certfile middle.pem -out {name} -passout PASSWORD {options}");
        AssertLoads("rsa", new CertificateFiles { Certificate = files[name], Password = OpenSslFiles.Password });
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Pkcs12_without_a_password(string? password)
    {
        files.Make("p256");
        files.Run("pkcs12 -export -in p256.pem -inkey p256.key -certfile middle.pem -out empty.p12 -passout pass:");
        AssertLoads("p256", new CertificateFiles { Certificate = files["empty.p12"], Password = password });
        files.Run("pkcs12 -export -in p256.pem -inkey p256.key -certfile middle.pem -out plain.p12 -passout pass: -nomac -keypbe NONE -certpbe NONE");
        AssertLoads("p256", new CertificateFiles { Certificate = files["plain.p12"], Password = password });
    }

    [Fact]
    public void Pkcs12_with_a_key_of_another_file_gives_its_certificates()
    {
        files.Make("p256");
        files.Run("pkcs12 -export -nokeys -in p256.chain -out certificates.p12 -passout PASSWORD");
        AssertLoads("p256", new CertificateFiles { Certificate = files["certificates.p12"], PrivateKey = files["p256.key"], Password = OpenSslFiles.Password });
    }

    [Fact]
    public void Pkcs12_as_dotnet_makes_it()
    {
        files.Make("rsa");
        X509Certificate2 certificate = X509Certificate2.CreateFromPem(files.Text("rsa.pem"), files.Text("rsa.key"));
        var all = new X509Certificate2Collection { X509Certificate2.CreateFromPem(files.Text("middle.pem")), certificate };
        AssertIs("rsa", CertificateCredential.FromPkcs12(all.Export(X509ContentType.Pkcs12, OpenSslFiles.Password)!, OpenSslFiles.Password));
        AssertIs("rsa", CertificateCredential.FromPkcs12(all.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, OpenSslFiles.Password), OpenSslFiles.Password));
    }

    [Theory]
    [InlineData("rsa", "rsa -traditional", "BEGIN RSA PRIVATE KEY")]
    [InlineData("p256", "ec", "BEGIN EC PRIVATE KEY")]
    public void Keys_in_their_older_form(string kind, string command, string label)
    {
        files.Make(kind);
        files.Run($"{command} -in {kind}.key -out {kind}.old");
        Assert.Contains(label, files.Text($"{kind}.old"), StringComparison.Ordinal);
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.chain"], PrivateKey = files[$"{kind}.old"] });
        files.Run($"{command} -in {kind}.key -outform der -out {kind}.old.der");
        AssertLoads(kind, new CertificateFiles { Certificate = files[$"{kind}.chain"], PrivateKey = files[$"{kind}.old.der"] });
    }

    [Fact]
    public void An_ec_key_after_its_parameters()
    {
        files.Run("ecparam -name prime256v1 -genkey -out parameters.key");
        Assert.Contains("BEGIN EC PARAMETERS", files.Text("parameters.key"), StringComparison.Ordinal);
        files.Run("req -x509 -key parameters.key -subj /CN=parameters -days 30 -out parameters.pem");
        CertificateCredential credential = CertificateCredential.FromPem(files.Text("parameters.pem"), files.Text("parameters.key"));
        Assert.Equal("CN=parameters", credential.Certificate.Subject);
    }

    [Fact]
    public void Certificate_objects_with_a_pkcs8_key()
    {
        files.Make("ed25519");
        files.Run("pkcs8 -topk8 -nocrypt -in ed25519.key -outform der -out ed25519.p8");
        files.Run("pkcs8 -topk8 -in ed25519.key -outform der -out ed25519.p8e -passout PASSWORD");
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(files.Text("ed25519.chain"));
        AssertIs("ed25519", CertificateCredential.FromPkcs8(certificates, File.ReadAllBytes(files["ed25519.p8"])));
        AssertIs("ed25519", CertificateCredential.FromPkcs8(certificates, File.ReadAllBytes(files["ed25519.p8e"]), OpenSslFiles.Password));
    }

    [Fact]
    public void Certificate_objects_with_their_key()
    {
        files.Make("p521");
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(files.Text("p521.pem"), files.Text("p521.key"));
        using X509Certificate2 middle = X509Certificate2.CreateFromPem(files.Text("middle.pem"));
        using X509Certificate2 root = X509Certificate2.CreateFromPem(files.Text("root.pem"));
        AssertIs("p521", CertificateCredential.FromCertificate(certificate, root, middle));
    }

    [Fact]
    public void An_encrypted_key_in_the_certificates_file_is_left_alone_when_another_file_has_the_key()
    {
        files.Make("p256");
        files.Run("pkcs8 -topk8 -in p256.key -out aside.enc -passout PASSWORD");
        File.WriteAllText(files["aside.pem"], files.Text("aside.enc") + files.Text("p256.chain"));
        AssertLoads("p256", new CertificateFiles { Certificate = files["aside.pem"], PrivateKey = files["p256.key"] });
    }

    private void AssertLoads(string kind, CertificateFiles of) => AssertIs(kind, CertificateCredential.FromFiles(of));

    // The chain is whole, without the root; and what the key signs is valid in openssl's eyes.
    private void AssertIs(string kind, CertificateCredential credential)
    {
        using X509Certificate2 leaf = X509Certificate2.CreateFromPem(files.Text($"{kind}.pem"));
        using X509Certificate2 middle = X509Certificate2.CreateFromPem(files.Text("middle.pem"));
        Assert.Equal([leaf.RawData, middle.RawData], credential.Chain);
        Assert.Equal(["localhost", "*.example.com"], credential.ServerNames);
        Assert.True(credential.SignsAtOnce);
        OpenSslSignature.AssertVerifies(files, kind, credential, credential.Schemes[0]);
    }
}
