namespace KTls.Handshake.Tests.Credentials;

/// <summary>The openssl command's judgement on a signature.</summary>
internal static class OpenSslSignature
{
    public static void AssertVerifies(OpenSslFiles files, string kind, CertificateCredential credential, SignatureScheme scheme)
    {
        byte[] content = "What a handshake signs"u8.ToArray();
        string name = Guid.NewGuid().ToString("N");
        File.WriteAllBytes(files[$"{name}.txt"], content);
        File.WriteAllBytes(files[$"{name}.sig"], credential.Sign(scheme, content));
        Assert.Contains("uccess", files.Run($"pkeyutl -verify -pubin -inkey {kind}.pub -rawin -in {name}.txt -sigfile {name}.sig {Options(scheme)}"), StringComparison.Ordinal);

        File.WriteAllBytes(files[$"{name}.txt"], [.. content, 0]);
        Assert.NotEqual(0, files.TryRun($"pkeyutl -verify -pubin -inkey {kind}.pub -rawin -in {name}.txt -sigfile {name}.sig {Options(scheme)}").ExitCode);
    }

    private static string Options(SignatureScheme scheme) => scheme switch
    {
        SignatureScheme.Ed25519 => string.Empty,
        SignatureScheme.EcdsaSecp256r1Sha256 => "-digest sha256",
        SignatureScheme.EcdsaSecp384r1Sha384 => "-digest sha384",
        SignatureScheme.EcdsaSecp521r1Sha512 => "-digest sha512",
        SignatureScheme.RsaPkcs1Sha256 => "-digest sha256 -pkeyopt rsa_padding_mode:pkcs1",
        SignatureScheme.RsaPkcs1Sha384 => "-digest sha384 -pkeyopt rsa_padding_mode:pkcs1",
        SignatureScheme.RsaPkcs1Sha512 => "-digest sha512 -pkeyopt rsa_padding_mode:pkcs1",
        SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssPssSha256 => "-digest sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest",
        SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssPssSha384 => "-digest sha384 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest",
        SignatureScheme.RsaPssRsaeSha512 or SignatureScheme.RsaPssPssSha512 => "-digest sha512 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest",
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };
}
