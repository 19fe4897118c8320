using static KTls.Handshake.SignatureScheme;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>What each kind of key signs with, in TLS 1.3 and 1.2, and that it does.</summary>
public sealed class SchemeTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    private static readonly SignatureScheme[] RsaePss = [RsaPssRsaeSha256, RsaPssRsaeSha384, RsaPssRsaeSha512];
    private static readonly SignatureScheme[] Pkcs1 = [RsaPkcs1Sha256, RsaPkcs1Sha384, RsaPkcs1Sha512];

    public static TheoryData<string, CertificateKeyKind, NamedGroup?, SignatureScheme[], SignatureScheme[]> Table => new()
    {
        { "p256", CertificateKeyKind.Ecdsa, NamedGroup.Secp256r1, [EcdsaSecp256r1Sha256], [EcdsaSecp256r1Sha256, EcdsaSecp384r1Sha384, EcdsaSecp521r1Sha512] },
        { "p384", CertificateKeyKind.Ecdsa, NamedGroup.Secp384r1, [EcdsaSecp384r1Sha384], [EcdsaSecp384r1Sha384, EcdsaSecp256r1Sha256, EcdsaSecp521r1Sha512] },
        { "p521", CertificateKeyKind.Ecdsa, NamedGroup.Secp521r1, [EcdsaSecp521r1Sha512], [EcdsaSecp521r1Sha512, EcdsaSecp256r1Sha256, EcdsaSecp384r1Sha384] },
        { "rsa", CertificateKeyKind.Rsa, null, RsaePss, [.. RsaePss, .. Pkcs1] },
        { "pss", CertificateKeyKind.Rsa, null, [RsaPssPssSha256, RsaPssPssSha384, RsaPssPssSha512], [RsaPssPssSha256, RsaPssPssSha384, RsaPssPssSha512] },
        { "pss384", CertificateKeyKind.Rsa, null, [RsaPssPssSha384], [RsaPssPssSha384] },
        { "ed25519", CertificateKeyKind.Ecdsa, null, [Ed25519], [Ed25519] },
    };

    [Theory, MemberData(nameof(Table))]
    public void A_key_has_its_schemes_and_signs_with_each(string kind, CertificateKeyKind keyKind, NamedGroup? curve, SignatureScheme[] schemes, SignatureScheme[] tls12Schemes)
    {
        CertificateCredential credential = Load(kind);
        Assert.Equal(keyKind, credential.KeyKind);
        Assert.Equal(curve, credential.Curve);
        Assert.Equal(schemes, credential.SchemesFor(tls13: true));
        Assert.Equal(tls12Schemes, credential.SchemesFor(tls13: false));
        Assert.Equal(schemes, credential.Schemes);
        Assert.Equal(tls12Schemes, credential.Tls12Schemes);
        foreach (SignatureScheme scheme in tls12Schemes)
        {
            OpenSslSignature.AssertVerifies(files, kind, credential, scheme);
        }
    }

    [Theory]
    [InlineData("rsa", true, true, false, 3)]
    [InlineData("rsa", true, false, true, 0)]
    [InlineData("rsa", false, true, false, 3)]
    [InlineData("rsa", false, false, true, 3)]
    [InlineData("rsa", false, false, false, 0)]
    [InlineData("pss", true, false, true, 0)]
    [InlineData("pss", false, true, false, 3)]
    [InlineData("p256", true, false, false, 1)]
    [InlineData("ed25519", false, false, false, 1)]
    public void Rsa_paddings_can_be_left_out(string kind, bool tls13, bool allowPss, bool allowPkcs1, int count)
    {
        IReadOnlyList<SignatureScheme> schemes = Load(kind).SchemesFor(tls13, allowPss, allowPkcs1);
        Assert.Equal(count, schemes.Count);
        Assert.All(schemes, scheme => Assert.True(Pkcs1.Contains(scheme) ? allowPkcs1 : allowPss || kind is "p256" or "ed25519"));
    }

    [Theory]
    [InlineData("p256", RsaPssRsaeSha256)]
    [InlineData("rsa", EcdsaSecp256r1Sha256)]
    [InlineData("rsa", RsaPssPssSha256)]
    [InlineData("pss384", RsaPssPssSha256)]
    [InlineData("ed25519", EcdsaSecp256r1Sha256)]
    public async Task A_key_signs_with_no_other_scheme(string kind, SignatureScheme scheme)
    {
        CertificateCredential credential = Load(kind);
        Assert.Throws<ArgumentException>(() => credential.Sign(scheme, [1]));
        await Assert.ThrowsAsync<ArgumentException>(async () => await credential.SignAsync(scheme, new byte[] { 1 }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("p256")]
    [InlineData("rsa")]
    public void SslStream_gets_the_certificate_with_its_key_and_chain(string kind)
    {
        CertificateCredential credential = Load(kind);
        Assert.True(credential.TryGetSslStreamContext(out var context, out _));
        Assert.Equal(credential.Certificate.RawData, context.TargetCertificate.RawData);
        Assert.True(context.TargetCertificate.HasPrivateKey);
        Assert.Equal(credential.Chain.Skip(1), context.IntermediateCertificates.Select(certificate => certificate.RawData));
        Assert.True(CertificateCredential.TryCreate(context, out CertificateCredential? again, out _));
        Assert.Equal(credential.Chain, again.Chain);
        Assert.Equal(credential.Schemes, again.Schemes);
        Assert.True(again.TryGetSslStreamContext(out var same, out _));
        Assert.Same(context, same);
    }

    [Theory]
    [InlineData("ed25519", "ED25519")]
    [InlineData("pss", "RSASSA-PSS")]
    public void SslStream_cannot_have_keys_that_dotnet_does_not_have(string kind, string name)
    {
        Assert.False(Load(kind).TryGetSslStreamContext(out _, out string? reason));
        Assert.Equal($"SslStream cannot use the credential: .NET has no private keys of type {name}", reason);
    }

    private CertificateCredential Load(string kind)
    {
        files.Make(kind);
        return CertificateCredential.FromPem(files.Text($"{kind}.chain"), files.Text($"{kind}.key"));
    }
}
