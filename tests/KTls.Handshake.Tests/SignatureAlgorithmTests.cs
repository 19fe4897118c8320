using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;
using NSec.Cryptography;
using Request = System.Security.Cryptography.X509Certificates.CertificateRequest;
using SignatureAlgorithm = KTls.Handshake.Crypto.SignatureAlgorithm;

namespace KTls.Handshake.Tests;

/// <summary>Which schemes go with which keys in which version, and that only right signatures pass.</summary>
public sealed class SignatureAlgorithmTests
{
    private const SignatureScheme RsaPkcs1Sha1 = (SignatureScheme)0x0201;
    private const SignatureScheme EcdsaSha1 = (SignatureScheme)0x0203;

    private static readonly SignatureScheme[] Ecdsa = [SignatureScheme.EcdsaSecp256r1Sha256, SignatureScheme.EcdsaSecp384r1Sha384, SignatureScheme.EcdsaSecp521r1Sha512];
    private static readonly SignatureScheme[] Rsae = [SignatureScheme.RsaPssRsaeSha256, SignatureScheme.RsaPssRsaeSha384, SignatureScheme.RsaPssRsaeSha512];
    private static readonly SignatureScheme[] Pss = [SignatureScheme.RsaPssPssSha256, SignatureScheme.RsaPssPssSha384, SignatureScheme.RsaPssPssSha512];
    private static readonly SignatureScheme[] Pkcs1 = [SignatureScheme.RsaPkcs1Sha256, SignatureScheme.RsaPkcs1Sha384, SignatureScheme.RsaPkcs1Sha512];
    private static readonly SignatureScheme[] All = [.. Enum.GetValues<SignatureScheme>(), RsaPkcs1Sha1, EcdsaSha1, (SignatureScheme)0x0808, (SignatureScheme)0x0000];

    private static readonly byte[] Content = "what a peer signs"u8.ToArray();
    private static readonly ECDsa P256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly ECDsa P384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private static readonly ECDsa P521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly Key Ed25519 = Key.Create(NSec.Cryptography.SignatureAlgorithm.Ed25519);

    /// <summary>A key, and what may be signed with it in TLS 1.3 and in TLS 1.2.</summary>
    private static readonly Dictionary<string, (X509Certificate2 Certificate, SignatureScheme[] Tls13, SignatureScheme[] Tls12)> Keys = new()
    {
        ["P-256"] = (Issue(P256.ExportSubjectPublicKeyInfo()), [Ecdsa[0]], Ecdsa),
        ["P-384"] = (Issue(P384.ExportSubjectPublicKeyInfo()), [Ecdsa[1]], Ecdsa),
        ["P-521"] = (Issue(P521.ExportSubjectPublicKeyInfo()), [Ecdsa[2]], Ecdsa),
        ["RSA"] = (Issue(Rsa.ExportSubjectPublicKeyInfo()), Rsae, [.. Rsae, .. Pkcs1]),
        ["RSA-PSS"] = (Issue(PssKey(null)), Pss, Pss),
        ["RSA-PSS for SHA-256"] = (Issue(PssKey(PssParameters(1, 1, 32))), [Pss[0]], [Pss[0]]),
        ["RSA-PSS for SHA-384"] = (Issue(PssKey(PssParameters(2, 2, 48))), [Pss[1]], [Pss[1]]),
        ["RSA-PSS with two hashes"] = (Issue(PssKey(PssParameters(1, 2, 32))), [], []),
        ["RSA-PSS with a long salt"] = (Issue(PssKey(PssParameters(1, 1, 33))), [], []),
        ["RSA-PSS for SHA-1"] = (Issue(PssKey([0x30, 0x00])), [], []),
        ["Ed25519"] = (Issue(SubjectPublicKeyInfo("1.3.101.112", null, Ed25519.PublicKey.Export(KeyBlobFormat.RawPublicKey))), [SignatureScheme.Ed25519], [SignatureScheme.Ed25519]),
        ["X25519"] = (Issue(SubjectPublicKeyInfo("1.3.101.110", null, new byte[32])), [], []),
        ["secp256k1"] = (Issue(Secp256k1()), [], []),
    };

    public static TheoryData<string, bool> KeysAndVersions()
    {
        var data = new TheoryData<string, bool>();
        foreach (string key in Keys.Keys)
        {
            data.Add(key, true);
            data.Add(key, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(KeysAndVersions))]
    public void Only_schemes_that_go_with_the_key_pass(string key, bool isTls13)
    {
        (X509Certificate2 certificate, SignatureScheme[] tls13, SignatureScheme[] tls12) = Keys[key];
        foreach (SignatureScheme scheme in All)
        {
            bool fits = (isTls13 ? tls13 : tls12).Contains(scheme);
            byte[] signature = fits ? Sign(key, scheme, Content) : new byte[64];
            Action verify = () => SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content, signature, "CertificateVerify");
            if (!fits)
            {
                AssertAlert(AlertDescription.IllegalParameter, verify);
                continue;
            }

            verify();
            signature[^1] ^= 1;
            AssertAlert(AlertDescription.DecryptError, verify);
            signature[^1] ^= 1;
            AssertAlert(AlertDescription.DecryptError, () => SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content.AsSpan(1), signature, "CertificateVerify"));
            AssertAlert(AlertDescription.DecryptError, () => SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content, [], "CertificateVerify"));
            AssertAlert(AlertDescription.DecryptError, () => SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content, [.. signature, 0], "CertificateVerify"));
            AssertAlert(AlertDescription.DecryptError, () => SignatureAlgorithm.Verify(certificate, isTls13, scheme, Content, signature.AsSpan(0, signature.Length - 1), "CertificateVerify"));
        }
    }

    [Fact]
    public void Each_scheme_has_its_own_hash_and_padding()
    {
        X509Certificate2 certificate = Keys["RSA"].Certificate;
        foreach (SignatureScheme signed in Keys["RSA"].Tls12)
        {
            byte[] signature = Sign("RSA", signed, Content);
            foreach (SignatureScheme claimed in Keys["RSA"].Tls12.Where(scheme => scheme != signed))
            {
                AssertAlert(AlertDescription.DecryptError, () => SignatureAlgorithm.Verify(certificate, isTls13: false, claimed, Content, signature, "ServerKeyExchange"));
            }
        }
    }

    /// <summary>RFC 8446 §4.2.3: the salt is as long as the hash.</summary>
    [Fact]
    public void A_salt_of_another_length_is_wrong()
    {
        // Made by OpenSSL with a salt of 20 bytes, for this key alone.
        using RSA key = RSA.Create();
        key.ImportFromPem(ShortSalt.PublicKey);
        using X509Certificate2 certificate = Issue(key.ExportSubjectPublicKeyInfo());
        SignatureAlgorithm.Verify(certificate, isTls13: true, SignatureScheme.RsaPssRsaeSha256, Content, Convert.FromBase64String(ShortSalt.Right), "CertificateVerify");
        AssertAlert(
            AlertDescription.DecryptError,
            () => SignatureAlgorithm.Verify(certificate, isTls13: true, SignatureScheme.RsaPssRsaeSha256, Content, Convert.FromBase64String(ShortSalt.Wrong), "CertificateVerify"));
    }

    [Fact]
    public void Malformed_keys_are_bad_certificates()
    {
        byte[] modulus = Rsa.ExportRSAPublicKey();
        AssertBad(SubjectPublicKeyInfo("1.3.101.112", null, new byte[31]), SignatureScheme.Ed25519);
        AssertBad(SubjectPublicKeyInfo(RsassaPss, null, [.. modulus, 0]), Pss[0]);
        AssertBad(SubjectPublicKeyInfo(RsassaPss, null, modulus[..^1]), Pss[0]);

        // Parameters that are no RSASSA-PSS-params: a number, a number inside, an empty field.
        AssertBad(PssKey([0x02, 0x01, 0x01]), Pss[0]);
        AssertBad(PssKey([0x30, 0x03, 0x02, 0x01, 0x01]), Pss[0]);
        AssertBad(PssKey([0x30, 0x02, 0xa0, 0x00]), Pss[0]);
    }

    [Fact]
    public void The_lists_hold_no_SHA1_and_PKCS1_for_TLS12_alone()
    {
        Assert.DoesNotContain(SignatureAlgorithm.ForHandshake13, Pkcs1.Contains);
        Assert.Equal(Pkcs1, SignatureAlgorithm.ForCertificatesOnly);
        Assert.Equal(Enum.GetValues<SignatureScheme>().Order(), SignatureAlgorithm.ForHandshake12.Order());
        Assert.Equal(SignatureAlgorithm.ForHandshake12.Distinct(), SignatureAlgorithm.ForHandshake12);
        Assert.DoesNotContain(RsaPkcs1Sha1, SignatureAlgorithm.ForHandshake12);
        Assert.DoesNotContain(EcdsaSha1, SignatureAlgorithm.ForHandshake12);
    }

    /// <summary>RFC 8446 §4.4.2.2: where there is a key usage, it must include signatures.</summary>
    [Theory]
    [InlineData(X509KeyUsageFlags.DigitalSignature, true)]
    [InlineData(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement, true)]
    [InlineData(X509KeyUsageFlags.KeyAgreement, false)]
    [InlineData(X509KeyUsageFlags.KeyEncipherment, false)]
    [InlineData(X509KeyUsageFlags.NonRepudiation | X509KeyUsageFlags.KeyCertSign, false)]
    [InlineData(X509KeyUsageFlags.None, false)]
    public void The_key_must_be_allowed_to_sign(X509KeyUsageFlags usage, bool isAllowed)
    {
        foreach (bool isCritical in new[] { true, false })
        {
            using X509Certificate2 certificate = Issue(P256.ExportSubjectPublicKeyInfo(), new X509KeyUsageExtension(usage, isCritical));
            foreach (bool isTls13 in new[] { true, false })
            {
                byte[] signature = Sign("P-256", Ecdsa[0], Content);
                Action verify = () => SignatureAlgorithm.Verify(certificate, isTls13, Ecdsa[0], Content, signature, "CertificateVerify");
                if (isAllowed)
                {
                    verify();
                }
                else
                {
                    AssertAlert(AlertDescription.IllegalParameter, verify);
                }
            }
        }
    }

    [Fact]
    public void A_malformed_key_usage_is_a_bad_certificate()
    {
        using X509Certificate2 certificate = Issue(P256.ExportSubjectPublicKeyInfo(), new X509Extension("2.5.29.15", [0x04, 0x01, 0x80], critical: true));
        byte[] signature = Sign("P-256", Ecdsa[0], Content);
        AssertAlert(AlertDescription.BadCertificate, () => SignatureAlgorithm.Verify(certificate, isTls13: true, Ecdsa[0], Content, signature, "CertificateVerify"));
    }

    private const string RsassaPss = "1.2.840.113549.1.1.10";

    private static void AssertAlert(AlertDescription expected, Action step) =>
        Assert.Equal(expected, Assert.Throws<TlsAlertException>(step).Description);

    private static void AssertBad(byte[] subjectPublicKeyInfo, SignatureScheme scheme)
    {
        using X509Certificate2 certificate = Issue(subjectPublicKeyInfo);
        AssertAlert(AlertDescription.BadCertificate, () => SignatureAlgorithm.Verify(certificate, isTls13: true, scheme, Content, new byte[256], "CertificateVerify"));
    }

    private static byte[] Sign(string key, SignatureScheme scheme, byte[] content) => key switch
    {
        "P-256" => P256.SignData(content, HashOf(scheme), DSASignatureFormat.Rfc3279DerSequence),
        "P-384" => P384.SignData(content, HashOf(scheme), DSASignatureFormat.Rfc3279DerSequence),
        "P-521" => P521.SignData(content, HashOf(scheme), DSASignatureFormat.Rfc3279DerSequence),
        "Ed25519" => NSec.Cryptography.SignatureAlgorithm.Ed25519.Sign(Ed25519, content),
        _ => Rsa.SignData(content, HashOf(scheme), Pkcs1.Contains(scheme) ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss),
    };

    // By the names of RFC 8446 §4.2.3, not by the library's own table.
    private static HashAlgorithmName HashOf(SignatureScheme scheme) => new("SHA" + scheme.ToString()[^3..]);

    private static byte[] PssKey(byte[]? parameters) => SubjectPublicKeyInfo(RsassaPss, parameters, Rsa.ExportRSAPublicKey());

    // RSASSA-PSS-params (RFC 4055 §3.1) with the hashes 2.16.840.1.101.3.4.2.x.
    private static byte[] PssParameters(int hash, int maskHash, int saltLength)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        void WriteHash(int number)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier($"2.16.840.1.101.3.4.2.{number}");
                writer.WriteNull();
            }
        }

        using (writer.PushSequence())
        {
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                WriteHash(hash);
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                WriteHash(maskHash);
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
            {
                writer.WriteInteger(saltLength);
            }
        }

        return writer.Encode();
    }

    private static byte[] SubjectPublicKeyInfo(string algorithm, byte[]? parameters, byte[] key)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(algorithm);
                if (parameters is not null)
                {
                    writer.WriteEncodedValue(parameters);
                }
            }

            writer.WriteBitString(key);
        }

        return writer.Encode();
    }

    private static byte[] Secp256k1()
    {
        using ECDsa key = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        return key.ExportSubjectPublicKeyInfo();
    }

    private static X509Certificate2 Issue(byte[] subjectPublicKeyInfo, params X509Extension[] extensions)
    {
        var key = System.Security.Cryptography.X509Certificates.PublicKey.CreateFromSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        var request = new Request(new X500DistinguishedName("CN=localhost"), key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        X509SignatureGenerator signer = X509SignatureGenerator.CreateForECDsa(TestCertificates.Root.GetECDsaPrivateKey()!);
        using X509Certificate2 issued = request.Create(TestCertificates.Root.SubjectName, signer, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(7), [9]);
        return X509CertificateLoader.LoadCertificate(issued.RawData);
    }

    private static class ShortSalt
    {
        public const string PublicKey = """
            -----BEGIN PUBLIC KEY-----
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjFyzYXj1ilRdrqUS/L+j
            geyvITwesbQ52wAaw0ys5zBqotb57M6EJnPVH8ARLSSEpyz5VxEym3c0ugKi1WFb
            Oxs83NadgQYoJB+OSex+VPjC0FpMmxOZBUgs2l5KmPAFm5XP6DSSwO4ZU3JY9ZMi
            pDHQLKnRvLLNI5JJU6dD3OEZQhn9EQ/KgmyXoAK7BLnBn15ie4shKziCzcW+oZkI
            UHAiygigX9BSgcncjsIFnzUaYSN0DQKhldJk/AUg912Q9VYi3YLNo2wn05wtMcKU
            w2Y4a8A+mHTr2lDzocfFUJaRw0OivPkOWfOdiisl2K/Z49U+QSdHe43PRsghU2lC
            0wIDAQAB
            -----END PUBLIC KEY-----
            """;

        public const string Right = "imNMYMByPOD+SudeAc0kLLqYLAx3vzf4exiOjainB5Lri9Ltdc8F6rzxCzJa4n3pAwaSB1p1woOyQvfq9n0jyE0wXWH7XuYAoRys1G39dILkYcZbRHv2l/YCAnlB+0V7qzbFCdXPdNFLuSMrTJmgIIqkHJU0D9ztL4sIOFnP5iWWH3xDyxzZkvMx5oRCo4wrjDLfY1aa3t//dFxudvU8Z3bFBM4mGhPYA3nGa0aAcCm/h1v84AVX9Emvh5JyP0sh9IXCOACtMZdg6iZ9QX9oJTNskBTQfRZeA9w9KcBdqVsZJOkybFVbrhOJlAxwbxZsjtKxNAtIf67PtehX5twcNg==";
        public const string Wrong = "B4WfxmO3G6YNjAQmafqNE6T5Dl71fd5eaPRU91ViGsPhCsSD43/fnsaFpyIAosrqN2ttXF4AsWUVGUUSzwkugft1rlpC1v4+8O5DO/Hw+nPo3YvNXJEyFg5e63o9aUZgL/EVHmj5dEJsqagjyeo6Gi1no8Ln34GlrjOpElC94+xzDAWvDJ+i9Vv5dQ8+/FmcbnmznTP+fCvZxC7qgc02fd57FLgNMtfzXR8GqkNIQ48agiLZb2ZlVTLo5jTypkQs0yIRMAUpg5DwDwmN9p2vlwJYNUFBVnMVmDK4Yvmbc91bHMTA5OKbVy81o8qyclTwYfFkfFsmS20CE8cNF8riOQ==";
    }
}
