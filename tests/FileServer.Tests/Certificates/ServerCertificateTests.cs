using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FileServer.Certificates;
using FileServer.Tests.Support;
using KTls.Handshake;

namespace FileServer.Tests.Certificates;

/// <summary>Root, intermediate and server certificates in every form that files come in.</summary>
public sealed class ServerCertificateTests : IDisposable
{
    private static readonly ECDsa RootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly X509Certificate2 Root = Issue("CN=root", RootKey, issuer: null, issuerKey: RootKey, isAuthority: true);
    private static readonly ECDsa MiddleKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private static readonly X509Certificate2 Middle = Issue("CN=middle", MiddleKey, Root, RootKey, isAuthority: true);
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly X509Certificate2 Leaf = Issue("CN=leaf", Key, Middle, MiddleKey);
    private static readonly RSA RsaKey = RSA.Create(2048);
    private static readonly X509Certificate2 RsaLeaf = Issue("CN=rsa", RsaKey, Middle, MiddleKey);
    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2000);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> KeyForms => ["pkcs8", "encrypted", "sec1", "parameters", "rsa-pkcs8", "rsa-encrypted", "rsa-pkcs1"];

    [Theory]
    [MemberData(nameof(KeyForms))]
    public void Loads_pem_with_every_form_of_key(string form)
    {
        X509Certificate2 leaf = form.StartsWith("rsa", StringComparison.Ordinal) ? RsaLeaf : Leaf;
        string key = form switch
        {
            "pkcs8" => Key.ExportPkcs8PrivateKeyPem(),
            "encrypted" => Key.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption),
            "sec1" => Key.ExportECPrivateKeyPem(),
            "parameters" => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + Key.ExportECPrivateKeyPem(),
            "rsa-pkcs8" => RsaKey.ExportPkcs8PrivateKeyPem(),
            "rsa-encrypted" => RsaKey.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption),
            _ => RsaKey.ExportRSAPrivateKeyPem(),
        };
        using ServerCertificate certificate = Load(Chain(leaf, Middle), key, "secret");
        AssertServes(certificate, leaf);
    }

    [Fact]
    public void Finds_certificate_and_key_in_one_file_in_any_order()
    {
        using ServerCertificate certificate = Load("a comment\n" + Key.ExportPkcs8PrivateKeyPem() + "\n" + Chain(Root, Middle, Leaf));
        AssertServes(certificate, Leaf);
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("")]
    public void Loads_pkcs12(string password)
    {
        using ServerCertificate certificate = LoadPkcs12(Pkcs12(Leaf.CopyWithPrivateKey(Key), password), password);
        AssertServes(certificate, Leaf);
    }

    [Fact]
    public void Loads_pkcs12_of_rsa_with_the_encryption_of_old()
    {
        byte[] content = new X509Certificate2Collection { RsaLeaf.CopyWithPrivateKey(RsaKey), Middle }.Export(X509ContentType.Pkcs12, "secret")!;
        using ServerCertificate certificate = LoadPkcs12(content, "secret");
        AssertServes(certificate, RsaLeaf);
    }

    [Theory]
    [InlineData("-keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256")]
    [InlineData("-legacy")]
    public async Task Loads_pkcs12_made_by_openssl(string options)
    {
        _folder.Write("c.pem", Leaf.ExportCertificatePem());
        _folder.Write("k.pem", Key.ExportPkcs8PrivateKeyPem());
        _folder.Write("m.pem", Middle.ExportCertificatePem());
        string[] arguments = ["pkcs12", "-export", "-in", _folder["c.pem"], "-inkey", _folder["k.pem"], "-certfile", _folder["m.pem"], "-passout", "pass:secret", "-out", _folder["o.pfx"]];
        Tool.Result made = await Tool.RunAsync("openssl", [.. arguments, .. options.Split(' ')]);
        Assert.True(made.ExitCode == 0, made.Error);
        using ServerCertificate certificate = LoadPkcs12(File.ReadAllBytes(_folder["o.pfx"]), "secret");
        AssertServes(certificate, Leaf);
    }

    [Fact]
    public void Makes_a_certificate_when_none_is_given()
    {
        using ServerCertificate certificate = ServerCertificate.Load(new Settings());
        X509Certificate2 leaf = certificate.Credentials.Current.Single().Certificate;
        Assert.True(leaf.MatchesHostname("localhost"));
        Assert.True(leaf.MatchesHostname("127.0.0.1"));
        Assert.True(leaf.MatchesHostname("::1"));
        Assert.InRange((leaf.NotAfter - DateTime.Now).TotalDays, 29, 30);
        Assert.Equal("1.2.840.10045.2.1", leaf.PublicKey.Oid.Value);
        Assert.Contains(leaf.GetCertHashString(HashAlgorithmName.SHA256), certificate.Description, StringComparison.Ordinal);
        Assert.Null(certificate.Warning(DateTimeOffset.UtcNow));
    }

    [Fact]
    public void Warns_of_a_certificate_whose_time_is_over_or_has_not_come()
    {
        using ServerCertificate certificate = Load(Chain(Leaf), Key.ExportPkcs8PrivateKeyPem());
        Assert.Null(certificate.Warning(DateTimeOffset.UtcNow));
        Assert.Contains("has expired on", certificate.Warning(DateTimeOffset.UtcNow.AddDays(60)), StringComparison.Ordinal);
        Assert.Contains("not valid before", certificate.Warning(DateTimeOffset.UtcNow.AddDays(-60)), StringComparison.Ordinal);
    }

    [Fact]
    public void Explains_a_certificate_without_its_key() =>
        AssertFails("c.pem: holds no private key", () => Load(Chain(Leaf)));

    [Fact]
    public void Explains_a_key_file_without_a_key() =>
        AssertFails("k.pem: holds no private key", () => Load(Chain(Leaf), Chain(Leaf)));

    [Theory]
    [InlineData("ec")]
    [InlineData("rsa")]
    [InlineData("other curve")]
    public void Explains_a_key_of_another_certificate(string kind)
    {
        using ECDsa other = ECDsa.Create(kind == "ec" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP521);
        string key = kind == "rsa" ? RsaKey.ExportPkcs8PrivateKeyPem() : other.ExportPkcs8PrivateKeyPem();
        AssertFails("the private key does not belong to the certificate in", () => Load(Chain(Leaf, Middle), key));
    }

    [Fact]
    public void Explains_a_missing_password() =>
        AssertFails("the private key is encrypted and needs a password; give it with --password or KTLS_PASSWORD", () => Load(Chain(Leaf), Key.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption)));

    [Fact]
    public void Explains_a_wrong_password() =>
        AssertFails("the password does not open the private key", () => Load(Chain(Leaf), Key.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption), "wrong"));

    [Fact]
    public void Explains_a_missing_password_of_pkcs12() =>
        AssertFails("needs a password; give it with --password or KTLS_PASSWORD", () => LoadPkcs12(Pkcs12(Leaf.CopyWithPrivateKey(Key), "secret"), null));

    [Fact]
    public void Explains_a_wrong_password_of_pkcs12() =>
        AssertFails("the password does not open it", () => LoadPkcs12(Pkcs12(Leaf.CopyWithPrivateKey(Key), "secret"), "wrong"));

    [Fact]
    public void Explains_pkcs12_without_a_key() =>
        AssertFails("holds no private key", () => LoadPkcs12(Pkcs12(Leaf, "secret"), "secret"));

    [Fact]
    public void Explains_damaged_pkcs12()
    {
        byte[] content = Pkcs12(Leaf.CopyWithPrivateKey(Key), "secret");
        AssertFails(": ", () => LoadPkcs12(content[..^200], "secret"));
        content[content.Length / 2] ^= 1;
        AssertFails(": ", () => LoadPkcs12(content, "secret"));
    }

    [Fact]
    public void Explains_der_without_a_key() => AssertFails("holds no private key", () => LoadPkcs12(Leaf.RawData, null));

    [Fact]
    public void Explains_what_is_neither_pem_nor_pkcs12() =>
        AssertFails("neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12", () => LoadPkcs12("Nothing of the kind."u8.ToArray(), null));

    [Fact]
    public void Explains_pem_without_a_certificate() =>
        AssertFails("holds no certificate", () => Load(Key.ExportPkcs8PrivateKeyPem()));

    [Fact]
    public void Explains_a_damaged_certificate() =>
        AssertFails("a certificate in it is damaged", () => Load("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + Key.ExportPkcs8PrivateKeyPem()));

    [Fact]
    public void Explains_a_damaged_key() =>
        AssertFails("the private key is damaged", () => Load(Chain(Leaf), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));

    [Fact]
    public void Explains_an_outdated_encryption() => AssertFails("outdated encryption", () => Load(
        Chain(Leaf), "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"));

    // X25519, which signs nothing.
    [Fact]
    public void Explains_a_kind_of_key_that_is_not_supported() => AssertFails("is not supported; ECDSA, RSA and Ed25519 are", () => Load(
        Chain(Leaf), "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"));

    [Fact]
    public void Explains_files_that_cannot_be_read()
    {
        AssertFails("no such file", () => ServerCertificate.Load(new Settings { CertificateFile = _folder["nothing"] }));
        AssertFails("no such file", () => ServerCertificate.Load(new Settings { CertificateFile = _folder["no/thing"] }));
        AssertFails("is a folder", () => ServerCertificate.Load(new Settings { CertificateFile = _folder.Name }));
        AssertFails("is empty", () => ServerCertificate.Load(new Settings { CertificateFile = _folder.Write("empty", "") }));
        AssertFails("too large", () => ServerCertificate.Load(new Settings { CertificateFile = "/dev/zero" }));
    }

    private ServerCertificate Load(string certificates, string? key = null, string? password = null) => ServerCertificate.Load(new Settings
    {
        CertificateFile = _folder.Write("c.pem", certificates),
        KeyFile = key is null ? null : _folder.Write("k.pem", key),
        Password = password,
    });

    private ServerCertificate LoadPkcs12(byte[] content, string? password) =>
        ServerCertificate.Load(new Settings { CertificateFile = _folder.Write("c.pfx", content), Password = password });

    private static byte[] Pkcs12(X509Certificate2 leaf, string password) =>
        new X509Certificate2Collection { Middle, leaf }.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password);

    private static string Chain(params X509Certificate2[] certificates) => string.Join('\n', certificates.Select(c => c.ExportCertificatePem()));

    private static void AssertServes(ServerCertificate certificate, X509Certificate2 leaf)
    {
        CertificateCredential credential = certificate.Credentials.Current.Single();
        Assert.Equal([leaf, Middle], credential.Certificates);
        Assert.True(credential.SignsAtOnce);
    }

    private static void AssertFails(string message, Action load)
    {
        var e = Assert.Throws<UserErrorException>(load);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(2, e.ExitCode);
    }

    private static X509Certificate2 Issue(string name, AsymmetricAlgorithm key, X509Certificate2? issuer, ECDsa issuerKey, bool isAuthority = false)
    {
        CertificateRequest request = key is ECDsa ecdsa
            ? new CertificateRequest(name, ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest(name, (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        return request.Create(
            issuer?.SubjectName ?? new X500DistinguishedName(name), X509SignatureGenerator.CreateForECDsa(issuerKey),
            DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(30), RandomNumberGenerator.GetBytes(8));
    }
}
