using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Keys that are elsewhere.</summary>
public sealed class SignerTests
{
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly (X509Certificate2 Certificate, ECDsa Key) Root = Certificates.Authority("root");
    private static readonly (X509Certificate2 Certificate, ECDsa Key) Middle = Certificates.Authority("middle", Root);
    private static readonly X509Certificate2 Leaf = Certificates.Issue("leaf", Key, Middle, ["signer.example"]);

    [Fact]
    public async Task The_signer_signs()
    {
        CertificateCredential credential = Create(async (scheme, content, _) =>
        {
            await Task.Yield();
            Assert.Equal(SignatureScheme.EcdsaSecp256r1Sha256, scheme);
            return Key.SignData(content.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        });
        Assert.False(credential.SignsAtOnce);
        Assert.Equal([SignatureScheme.EcdsaSecp256r1Sha256], credential.Schemes);
        Assert.Equal([Leaf.RawData, Middle.Certificate.RawData], credential.Chain);
        Assert.Equal(["signer.example"], credential.ServerNames);
        byte[] signature = await credential.SignAsync(SignatureScheme.EcdsaSecp256r1Sha256, "content"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.True(Key.VerifyData("content"u8, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(65536)]
    public async Task What_cannot_be_a_signature_is_refused(int length)
    {
        CertificateCredential credential = Create((_, _, _) => ValueTask.FromResult(length < 0 ? null! : new byte[length]));
        var e = await Assert.ThrowsAsync<CryptographicException>(async () => await credential.SignAsync(SignatureScheme.EcdsaSecp256r1Sha256, new byte[1]));
        Assert.Equal($"The certificate's signer returned a signature of {Math.Max(length, 0)} bytes.", e.Message);
    }

    [Fact]
    public async Task The_signers_own_failure_comes_through()
    {
        CertificateCredential credential = Create((_, _, _) => throw new TimeoutException("the HSM is busy"));
        await Assert.ThrowsAsync<TimeoutException>(async () => await credential.SignAsync(SignatureScheme.EcdsaSecp256r1Sha256, new byte[1]));
    }

    [Fact]
    public async Task The_wait_can_be_cancelled()
    {
        CertificateCredential credential = Create(async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return [];
        });
        using var cancellation = new CancellationTokenSource();
        ValueTask<byte[]> signing = credential.SignAsync(SignatureScheme.EcdsaSecp256r1Sha256, new byte[1], cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await signing);
    }

    [Fact]
    public void There_is_no_key_here()
    {
        CertificateCredential credential = Create((_, _, _) => throw new NotSupportedException());
        Assert.Throws<InvalidOperationException>(() => credential.Sign(SignatureScheme.EcdsaSecp256r1Sha256, [1]));
        Assert.False(credential.TryGetSslStreamContext(out _, out string? reason));
        Assert.Equal("SslStream cannot use the credential: its private key is elsewhere", reason);
    }

    [Fact]
    public void The_certificate_must_be_of_use()
    {
        Assert.Throws<ArgumentException>(() => CertificateCredential.Create([], new Signer((_, _, _) => default)));
        using RSA shortKey = RSA.Create(1024);
        var e = Assert.Throws<CredentialException>(() => CertificateCredential.Create([Certificates.Issue("short", shortKey, Root)], new Signer((_, _, _) => default)));
        Assert.Equal("an RSA key of 1024 bits is too short; 2048 are the least", e.Message);
    }

    private static CertificateCredential Create(Func<SignatureScheme, ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> sign) =>
        CertificateCredential.Create([Leaf, Root.Certificate, Middle.Certificate], new Signer(sign));

    private sealed class Signer(Func<SignatureScheme, ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> sign) : ICertificateSigner
    {
        public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => sign(scheme, content, cancellationToken);
    }
}
