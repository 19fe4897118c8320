using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>What cannot be used is said in one line that names the file and the cause.</summary>
public sealed class ErrorTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    [Theory]
    [InlineData("short", "an RSA key of 1024 bits is too short; 2048 are the least")]
    [InlineData("k256", "a certificate key on the curve secP256k1 is not supported; P-256, P-384 and P-521 are")]
    public void A_certificate_whose_key_does_not_sign_here(string kind, string cause)
    {
        files.Make(kind);
        AssertFails($"{kind}.chain", cause, certificate: $"{kind}.chain", key: $"{kind}.key");
    }

    [Fact]
    public void A_private_key_of_another_kind()
    {
        files.Make("ed448");
        AssertFails("ed448.key", "a private key of type ED448 is not supported; ECDSA, RSA and Ed25519 are", certificate: "ed448.chain", key: "ed448.key");
    }

    [Fact]
    public void A_certificate_that_does_not_allow_its_key_to_sign()
    {
        files.Run("req -x509 -newkey rsa:2048 -nodes -keyout decipher.key -out decipher.pem -subj /CN=x -days 30 -addext keyUsage=keyEncipherment");
        AssertFails("decipher.pem", "the certificate's keyUsage does not allow its key to sign", certificate: "decipher.pem", key: "decipher.key");
    }

    [Theory]
    [InlineData("rsa.key")]
    [InlineData("ed25519.key")]
    [InlineData("p384.key")]
    [InlineData("other256.key")]
    public void A_key_of_another_certificate(string key)
    {
        MakeCommon();
        AssertFails(key, $"the private key does not belong to the certificate in {files["p256.chain"]}", certificate: "p256.chain", key: key);
    }

    [Fact]
    public void The_key_of_the_issuer()
    {
        MakeCommon();
        AssertFails("middle.key", "the private key belongs to the certificate of the issuer, CN=Middle, not to the one that it issued", certificate: "p256.chain", key: "middle.key");
    }

    [Fact]
    public void A_password_that_is_missing_or_wrong()
    {
        MakeCommon();
        files.Run("pkcs8 -topk8 -in p256.key -out p256.enc -passout PASSWORD");
        files.Run("pkcs12 -export -in p256.pem -inkey p256.key -out p256.p12 -passout PASSWORD");
        AssertFails("p256.enc", "the private key is encrypted and needs a password", certificate: "p256.chain", key: "p256.enc");
        AssertFails("p256.enc", "the password does not open the private key", certificate: "p256.chain", key: "p256.enc", password: "wrong");
        AssertFails("p256.p12", "needs a password", certificate: "p256.p12");
        AssertFails("p256.p12", "needs a password", certificate: "p256.p12", password: "");
        AssertFails("p256.p12", "the password does not open it", certificate: "p256.p12", password: "wrong");
    }

    /// <summary>Found by fuzzing: .NET says it with an ArgumentException.</summary>
    [Fact]
    public void An_encrypted_key_that_does_not_end_with_a_block()
    {
        MakeCommon();
        const string Damaged =
            "3081e0305606092a864886f70d01050d3049302806092a864886f70d01050c301b0408a4ae0a2f81fa1301020101300c06082a864886f70d02090500"
            + "301d060960864801650304012a0410ca5d16f5a19933b4428b3e05348c9dcc0481856a8f4853ac22c2bf8d113edbf7b8a6b2e2d3a671f60030130617"
            + "211d500b23f08e89467aa25f166c2bd223c144acfefb70fbffa4844c8f45132272caa49ba89fb5fe79992f7ce7c14a02b78a4ab6a6c828c232fc6dab"
            + "afe07e3e923b2bd1aec5af3469564089d73987fb4a78db86642cffcc665bf647ee5d54fb12d6da4826fac6dbd19554";
        File.WriteAllText(files["damaged.key"], PemEncoding.WriteString("ENCRYPTED PRIVATE KEY", Convert.FromHexString(Damaged)));
        AssertFails("damaged.key", "the password does not open the private key", certificate: "p256.chain", key: "damaged.key", password: OpenSslFiles.Password);
    }

    [Fact]
    public void Encryptions_that_are_not_supported()
    {
        MakeCommon();
        files.Run("pkcs8 -topk8 -in p256.key -out p256.scrypt -passout PASSWORD -scrypt");
        AssertFails(
            "p256.scrypt", "the private key is encrypted by means of scrypt, which is not supported; 'openssl pkcs8 -topk8' encrypts it in another way",
            certificate: "p256.chain", key: "p256.scrypt", password: OpenSslFiles.Password);
        files.Run("ec -aes256 -in p256.key -out p256.outdated -passout PASSWORD");
        AssertFails(
            "p256.outdated", "the private key has an outdated encryption; 'openssl pkcs8 -topk8' gives it a new one",
            certificate: "p256.chain", key: "p256.outdated", password: OpenSslFiles.Password);
    }

    /// <summary>.NET goes into bags by recursion, and a stack that is too small ends the process.</summary>
    [Fact]
    public void Bags_in_bags()
    {
        File.WriteAllBytes(files["nested.p12"], NestedBags(10_000));
        AssertFails("nested.p12", "the PKCS#12 file has more than 8 bags in each other", certificate: "nested.p12");
        File.WriteAllBytes(files["nested.p12"], NestedBags(8));
        AssertFails("nested.p12", "holds no certificate", certificate: "nested.p12");
    }

    /// <summary>As many rounds as a file can name would take hours.</summary>
    [Theory]
    [InlineData("pkcs8 -topk8 -in p256.key -out rounds.der -outform der -passout PASSWORD -iter 65536", false)]
    [InlineData("pkcs8 -topk8 -in p256.key -out rounds.der -outform der -passout PASSWORD -iter 65536 -v1 PBE-SHA1-3DES", false)]
    [InlineData("pkcs12 -export -in p256.pem -inkey p256.key -out rounds.der -passout PASSWORD -iter 65536", false)]
    [InlineData("pkcs12 -export -in p256.pem -inkey p256.key -out rounds.der -passout PASSWORD -iter 65536", true)]
    public void Passwords_that_are_hashed_too_often(string command, bool isLast)
    {
        MakeCommon();
        files.Run(command);
        byte[] content = File.ReadAllBytes(files["rounds.der"]);
        byte[] rounds = [2, 3, 1, 0, 0];
        int at = isLast ? content.AsSpan().LastIndexOf(rounds) : content.AsSpan().IndexOf(rounds);
        content.AsSpan(at + 2, 3).Fill(0x7f);
        File.WriteAllBytes(files["rounds.der"], content);
        bool isKey = command.StartsWith("pkcs8", StringComparison.Ordinal);
        AssertFails(
            "rounds.der", "the password would have to be hashed more than 5000000 times",
            certificate: isKey ? "p256.chain" : "rounds.der", key: isKey ? "rounds.der" : null, password: OpenSslFiles.Password);
    }

    [Fact]
    public void Files_that_cannot_be_read()
    {
        MakeCommon();
        File.WriteAllText(files["empty"], "");
        Directory.CreateDirectory(files["folder"]);
        AssertFails("nothing", "no such file", certificate: "nothing");
        AssertFails("no/thing", "no such file", certificate: "no/thing");
        AssertFails("empty", "the file is empty", certificate: "empty");
        AssertFails("folder", "is a folder, not a file", certificate: "folder");
        AssertFails("/dev/zero", "over 1 MiB is too large for certificates or keys", certificate: "/dev/zero");
        AssertFails("nothing", "no such file", certificate: "p256.chain", key: "nothing");
        AssertFails("nothing", "no such file", certificate: "p256.all", chain: "nothing");
    }

    [Fact]
    public void Files_with_other_things()
    {
        MakeCommon();
        File.WriteAllText(files["letter"], "Dear Sir or Madam,");
        File.WriteAllBytes(files["noise"], [0x30, 0x82, 0x10, 0x00, 1, 2, 3]);
        AssertFails("letter", "neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12", certificate: "letter");
        AssertFails("noise", "neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12", certificate: "noise");
        AssertFails("p256.key", "holds no certificate", certificate: "p256.key");
        AssertFails("p256.chain", "holds no private key", certificate: "p256.chain");
        AssertFails("p256.pub", "holds no private key", certificate: "p256.chain", key: "p256.pub");
        AssertFails("p256.csr", "holds no certificate", certificate: "p256.csr", key: "p256.key");
    }

    [Fact]
    public void Damaged_files()
    {
        MakeCommon();
        string chain = files.Text("p256.chain");
        string key = files.Text("p256.key");
        File.WriteAllText(files["cut.chain"], chain[..^60]);
        File.WriteAllText(files["cut.key"], key[..^40]);
        File.WriteAllText(files["bad.chain"], "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        File.WriteAllText(files["bad.key"], "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        File.WriteAllText(files["bad.p7b"], "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n");
        File.WriteAllText(files["ed.key"], "-----BEGIN PRIVATE KEY-----\nMAsCAQAwBQYDK2VwBAA=\n-----END PRIVATE KEY-----\n");
        File.WriteAllText(files["dsa.key"], "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n");
        File.WriteAllText(files["joined.pem"], chain.TrimEnd() + key);
        AssertFails("joined.pem", "between two PEM blocks in it the line break is missing", certificate: "joined.pem");
        AssertFails("cut.chain", "a PEM block in it is damaged or incomplete", certificate: "cut.chain", key: "p256.key");
        AssertFails("cut.key", "the private key is damaged or incomplete", certificate: "p256.chain", key: "cut.key");
        AssertFails("bad.chain", "a certificate in it is damaged", certificate: "bad.chain", key: "p256.key");
        AssertFails("bad.key", "the private key is damaged", certificate: "p256.chain", key: "bad.key");
        AssertFails("ed.key", "the private key is damaged", certificate: "p256.chain", key: "ed.key");
        AssertFails("bad.p7b", "the PKCS#7 container is damaged", certificate: "p256.chain", key: "p256.key", chain: "bad.p7b");
        AssertFails("dsa.key", "a private key in the form 'DSA PRIVATE KEY' is not supported; PKCS#8 is", certificate: "p256.chain", key: "dsa.key");
    }

    [Fact]
    public void Any_byte_of_a_binary_file_can_be_wrong()
    {
        MakeCommon();
        files.Run("pkcs12 -export -in p256.pem -inkey p256.key -certfile middle.pem -out flip.p12 -passout PASSWORD -iter 1 -maciter");
        files.Run("pkcs8 -topk8 -nocrypt -in p256.key -outform der -out flip.der");
        files.Run("crl2pkcs7 -nocrl -certfile p256.chain -outform der -out flip.p7b");
        foreach (string file in (string[])["flip.p12", "flip.der", "flip.p7b"])
        {
            byte[] content = File.ReadAllBytes(files[file]);
            bool isKey = file == "flip.der";
            for (int i = 0; i < content.Length; i += Math.Max(1, content.Length / 150))
            {
                File.WriteAllBytes(files["flipped"], [.. content[..i], (byte)(content[i] ^ 0x21), .. content[(i + 1)..]]);
                AssertLoadsOrFails(new CertificateFiles
                {
                    Certificate = isKey ? files["p256.chain"] : files["flipped"],
                    PrivateKey = file == "flip.p12" ? null : isKey ? files["flipped"] : files["p256.key"],
                    Password = OpenSslFiles.Password,
                });
                File.WriteAllBytes(files["flipped"], content[..i]);
                AssertLoadsOrFails(new CertificateFiles { Certificate = files["flipped"], Password = OpenSslFiles.Password });
            }
        }
    }

    [Fact]
    public void Texts_without_a_file_name()
    {
        MakeCommon();
        Assert.Equal("the PEM text: holds no certificate", Assert.Throws<CredentialException>(() => CertificateCredential.FromPem("", files.Text("p256.key"))).Message);
        Assert.Equal("the PEM text: holds no private key", Assert.Throws<CredentialException>(() => CertificateCredential.FromPem(files.Text("p256.chain"), "")).Message);
    }

    [Fact]
    public void Contexts_that_only_SslStream_can_use()
    {
        files.Make("short");
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(files.Text("short.pem"), files.Text("short.key"));
        var context = System.Net.Security.SslStreamCertificateContext.Create(certificate, [], offline: true);
        Assert.False(CertificateCredential.TryCreate(context, out _, out string? reason));
        Assert.Equal("an RSA key of 1024 bits is too short; 2048 are the least", reason);
        Assert.Equal(reason, Assert.Throws<CredentialException>(() => CertificateCredential.FromCertificate(certificate)).Message);
    }

    [Fact]
    public void Certificates_without_their_key()
    {
        files.Make("p256");
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(files.Text("p256.pem"));
        var e = Assert.Throws<CredentialException>(() => CertificateCredential.FromCertificate(certificate));
        Assert.Equal("the certificate comes without its private key", e.Message);
    }

    // A PFX without a MAC (RFC 7292 §4), whose bags are SafeContents in each other; from the innermost outwards.
    private static byte[] NestedBags(int depth)
    {
        byte[] data = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
        byte[] safeContentsBag = [0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 6];
        byte[] file = new byte[1 << 20];
        int start = file.Length;
        Wrap(0x30);
        for (int i = 0; i < depth; i++)
        {
            Wrap(0xa0);
            Prepend(safeContentsBag);
            Wrap(0x30);
            Wrap(0x30);
        }

        for (int i = 0; i < 2; i++)
        {
            Wrap(0x04);
            Wrap(0xa0);
            Prepend(data);
            Wrap(0x30);
            if (i == 0)
            {
                Wrap(0x30);
            }
        }

        Prepend([2, 1, 3]);
        Wrap(0x30);
        return file[start..];

        void Prepend(byte[] bytes) => bytes.CopyTo(file, start -= bytes.Length);

        void Wrap(byte tag)
        {
            int length = file.Length - start;
            Prepend([tag, 0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        }
    }

    private void MakeCommon()
    {
        foreach (string kind in (string[])["p256", "p384", "rsa", "ed25519"])
        {
            files.Make(kind);
        }

        File.WriteAllText(files["p256.all"], files.Text("p256.chain") + files.Text("p256.key"));
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(files["other256.key"], other.ExportPkcs8PrivateKeyPem());
    }

    private void AssertFails(string file, string cause, string certificate, string? key = null, string? chain = null, string? password = null)
    {
        string? Full(string? name) => name is null ? null : Path.Combine(files.Folder, name);
        var e = Assert.Throws<CredentialException>(() => CertificateCredential.FromFiles(new CertificateFiles
        {
            Certificate = Full(certificate)!,
            PrivateKey = Full(key),
            Chain = Full(chain),
            Password = password,
        }));
        Assert.Equal($"{Full(file)}: {cause}", e.Message);
        Assert.Equal(cause.EndsWith("needs a password", StringComparison.Ordinal), e.NeedsPassword);
    }

    private static void AssertLoadsOrFails(CertificateFiles of)
    {
        try
        {
            CertificateCredential.FromFiles(of);
        }
        catch (CredentialException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
