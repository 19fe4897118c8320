using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;
using Request = System.Security.Cryptography.X509Certificates.CertificateRequest;

namespace KTls.Handshake.Tests;

/// <summary>Certificates that a hostile server makes for itself: whatever is in them, the client ends in a verdict or an alert.</summary>
public sealed class CertificateAttackTests
{
    private const string San = "2.5.29.17";

    private static readonly Dictionary<string, X509Extension[]> Malformed = new()
    {
        ["a subject alternative name that is no DER"] = [new X509Extension(San, [1, 2, 3], critical: false)],
        ["an empty subject alternative name"] = [new X509Extension(San, [], critical: false)],
        ["a subject alternative name with a cut name"] = [new X509Extension(San, [0x30, 4, 0x82, 9, 97, 98], critical: false)],
        ["a subject alternative name with an address of three bytes"] = [new X509Extension(San, [0x30, 5, 0x87, 3, 127, 0, 0], critical: false)],
        ["a subject alternative name that is not ASCII"] = [new X509Extension(San, [0x30, 4, 0x82, 2, 0xff, 0xfe], critical: false)],
        ["key usage that is no DER"] = [new X509Extension("2.5.29.15", [9], critical: true)],
        ["extended key usage that is no DER"] = [new X509Extension("2.5.29.37", [9, 9], critical: true)],
        ["basic constraints that are no DER"] = [new X509Extension("2.5.29.19", [0x30, 9], critical: true)],
        ["name constraints that are no DER"] = [new X509Extension("2.5.29.30", [0x30, 9], critical: true)],
        ["policies that are no DER"] = [new X509Extension("2.5.29.32", [0x30, 9], critical: false)],
        ["a key identifier that is no DER"] = [new X509Extension("2.5.29.14", [9, 200], critical: false)],
        ["an authority key identifier that is no DER"] = [new X509Extension("2.5.29.35", [9, 200], critical: false)],
        ["revocation points that are no DER"] = [new X509Extension("2.5.29.31", [9, 200], critical: false)],
        ["authority information that is no DER"] = [new X509Extension("1.3.6.1.5.5.7.1.1", [9, 200], critical: false)],
        ["an unknown critical extension"] = [new X509Extension("1.2.3.4.5", [5, 0], critical: true)],
    };

    public static TheoryData<string, string> MalformedNames()
    {
        var data = new TheoryData<string, string>();
        foreach (string name in Malformed.Keys)
        {
            data.Add(name, "localhost");
            data.Add(name, "127.0.0.1");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(MalformedNames))]
    public void A_malformed_extension_ends_in_a_verdict(string name, string host)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Issue(key, Malformed[name]);
        Assert.NotEqual(SslPolicyErrors.None, Validate(certificate, host));
    }

    /// <summary>The certificates beside the server's own are nobody's yet: what is in them must not stop the verdict.</summary>
    [Theory]
    [InlineData("key")]
    [InlineData("point")]
    public void A_spoilt_issuer_ends_in_a_verdict(string what)
    {
        using ECDsa issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 issuer = Issue(issuerKey, [new X509BasicConstraintsExtension(true, false, 0, true)], "CN=issuer");
        byte[] der = issuer.RawData;
        byte[] point = issuer.GetPublicKey();
        int at = der.AsSpan().IndexOf(point);
        der[what == "key" ? at : at + 10] ^= 0x11;
        using X509Certificate2 spoilt = X509CertificateLoader.LoadCertificate(der);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new Request("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), [8]);
        Assert.NotEqual(SslPolicyErrors.None, Validate(certificate, "localhost", spoilt));
    }

    [Fact]
    public void Two_subject_alternative_names_end_in_a_verdict()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = IssueTwice(key);
        Assert.Equal(2, certificate.Extensions.Count(extension => extension.Oid!.Value == San));
        Assert.NotEqual(SslPolicyErrors.None, Validate(certificate, "localhost"));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("a.wild.example", true)]
    [InlineData("a.b.wild.example", false)]
    [InlineData("wild.example", false)]
    [InlineData("192.0.2.7", true)]
    [InlineData("192.0.2.8", false)]
    [InlineData("2001:db8::7", true)]
    [InlineData("2001:db8::8", false)]
    [InlineData("198.51.100.1", false)]
    [InlineData("common.example", false)]
    [InlineData("local", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("", false)]
    [InlineData("no host\u0001name", false)]
    public void Names_match_as_they_should(string host, bool matches)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("*.wild.example");
        names.AddDnsName("198.51.100.1");
        names.AddIpAddress(System.Net.IPAddress.Parse("192.0.2.7"));
        names.AddIpAddress(System.Net.IPAddress.Parse("2001:db8::7"));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Issue(key, [names.Build()], "CN=common.example");
        Assert.Equal(matches ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateNameMismatch, Validate(certificate, host));
    }

    [Fact]
    public void The_users_policy_is_not_changed()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        X509ChainPolicy made = PeerCertificateValidation.CreatePolicy(policy, X509RevocationMode.Online, [TestCertificates.Root]);
        Assert.Empty(policy.ExtraStore);
        Assert.Empty(policy.ApplicationPolicy);
        Assert.Equal(X509RevocationMode.NoCheck, made.RevocationMode);
        Assert.Equal("1.3.6.1.5.5.7.3.1", Assert.Single(made.ApplicationPolicy.Cast<Oid>()).Value);
    }

    [Theory]
    [InlineData("brainpoolP256r1")]
    [InlineData("secp256k1")]
    [InlineData("secp224r1")]
    public void A_key_on_a_curve_that_TLS_does_not_know_is_illegal(string curve)
    {
        using ECDsa key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        AssertVerifyAlert(key, AlertDescription.IllegalParameter);
    }

    /// <summary>
    /// RFC 5480 §2.1.1 and RFC 8446 §4.2.3 know named curves only. Explicit parameters can name another generator, for which
    /// anybody finds a private key (CVE-2020-0601), or none that the platform can name.
    /// </summary>
    [Theory]
    [InlineData("those of P-256")]
    [InlineData("another generator")]
    public void A_key_with_explicit_curve_parameters_is_illegal(string parameters)
    {
        using ECDsa named = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters explicitly = named.ExportExplicitParameters(includePrivateParameters: true);
        if (parameters == "another generator")
        {
            // With the public key as generator the private key is 1.
            explicitly.Curve.G = explicitly.Q;
            explicitly.D = [.. new byte[31], 1];
        }

        using ECDsa key = ECDsa.Create(explicitly);
        using X509Certificate2 certificate = Issue(PublicKey.CreateFromSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _));
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate(certificate.RawData));
        byte[] signature = key.SignData(server.SignedContent(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendSealed(server.CertificateVerify(SignatureScheme.EcdsaSecp256r1Sha256, signature)));
    }

    /// <summary>1024 bits are not enough for this scheme (RFC 8446 §4.2.3: a salt and a hash of 64 bytes each), fewer for none.</summary>
    [Theory]
    [InlineData(512, AlertDescription.BadCertificate)]
    [InlineData(1016, AlertDescription.BadCertificate)]
    [InlineData(1024, AlertDescription.DecryptError)]
    public void An_RSA_key_too_small_is_refused(int bits, AlertDescription expected)
    {
        using RSA key = RSA.Create(bits);
        var request = new Request("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate(certificate.RawData));
        server.AssertAlert(expected, () => server.SendSealed(server.CertificateVerify(SignatureScheme.RsaPssRsaeSha512, new byte[bits / 8])));
    }

    [Fact]
    public void An_RSA_key_too_large_is_refused_before_it_is_used()
    {
        // Any odd number is a modulus, as far as can be seen.
        byte[] modulus = new byte[1025];
        modulus[0] = modulus[^1] = 1;
        using RSA key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = [1, 0, 1] });
        using X509Certificate2 certificate = Issue(new PublicKey(key));
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate(certificate.RawData));
        server.AssertAlert(AlertDescription.BadCertificate, () => server.SendSealed(server.CertificateVerify(SignatureScheme.RsaPssRsaeSha256, new byte[modulus.Length])));
    }

    [Fact]
    public void A_scheme_of_another_key_is_illegal()
    {
        // The SubjectPublicKeyInfo of an Ed25519 key.
        byte[] spki = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. new byte[32]];
        using X509Certificate2 certificate = Issue(PublicKey.CreateFromSubjectPublicKeyInfo(spki, out _));
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate(certificate.RawData));
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendSealed(server.CertificateVerify(SignatureScheme.EcdsaSecp256r1Sha256, new byte[64])));
    }

    private static void AssertVerifyAlert(ECDsa key, AlertDescription expected)
    {
        using X509Certificate2 certificate = Issue(key, []);
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        server.SendSealed(ScriptedServer.Certificate(certificate.RawData));
        byte[] signature = key.SignData(server.SignedContent(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        server.AssertAlert(expected, () => server.SendSealed(server.CertificateVerify(SignatureScheme.EcdsaSecp256r1Sha256, signature)));
    }

    private static SslPolicyErrors Validate(X509Certificate2 certificate, string host, params X509Certificate2[] others)
    {
        using var chain = new X509Chain();
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(TestCertificates.Root);
        chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(policy, X509RevocationMode.NoCheck, others);
        return PeerCertificateValidation.Validate(chain, certificate, host);
    }

    private static X509Certificate2 Issue(PublicKey key) => Sign(new Request(new X500DistinguishedName("CN=localhost"), key, HashAlgorithmName.SHA256));

    private static X509Certificate2 Issue(ECDsa key, X509Extension[] extensions, string subject = "CN=nobody")
    {
        var request = new Request(subject, key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        return Sign(request);
    }

    private static X509Certificate2 Sign(Request request)
    {
        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(TestCertificates.Root.GetECDsaPrivateKey()!);
        using X509Certificate2 issued = request.Create(TestCertificates.Root.SubjectName, signer, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(7), [7]);
        return X509CertificateLoader.LoadCertificate(issued.RawData);
    }

    // .NET's own request refuses an extension twice: one of another name gets the name afterwards, and the signature with it.
    private static X509Certificate2 IssueTwice(ECDsa key)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        byte[] body = names.Build().RawData;
        using X509Certificate2 once = Issue(key, [new X509Extension(San, body, critical: false), new X509Extension("2.5.29.99", body, critical: false)]);
        byte[] der = once.RawData;
        der[der.AsSpan().IndexOf<byte>([6, 3, 0x55, 0x1d, 99]) + 4] = 17;
        return X509CertificateLoader.LoadCertificate(der);
    }
}
