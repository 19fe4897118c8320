namespace KTls.Handshake;

/// <summary>A signature algorithm with its hash (RFC 8446 §4.2.3).</summary>
public enum SignatureScheme : ushort
{
    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256; in TLS 1.3 in certificates only.</summary>
    RsaPkcs1Sha256 = 0x0401,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-384; in TLS 1.3 in certificates only.</summary>
    RsaPkcs1Sha384 = 0x0501,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-512; in TLS 1.3 in certificates only.</summary>
    RsaPkcs1Sha512 = 0x0601,

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    EcdsaSecp256r1Sha256 = 0x0403,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    EcdsaSecp384r1Sha384 = 0x0503,

    /// <summary>ECDSA on P-521 with SHA-512.</summary>
    EcdsaSecp521r1Sha512 = 0x0603,

    /// <summary>RSASSA-PSS with SHA-256 and a key of type rsaEncryption.</summary>
    RsaPssRsaeSha256 = 0x0804,

    /// <summary>RSASSA-PSS with SHA-384 and a key of type rsaEncryption.</summary>
    RsaPssRsaeSha384 = 0x0805,

    /// <summary>RSASSA-PSS with SHA-512 and a key of type rsaEncryption.</summary>
    RsaPssRsaeSha512 = 0x0806,

    /// <summary>Ed25519.</summary>
    Ed25519 = 0x0807,

    /// <summary>RSASSA-PSS with SHA-256 and a key of type id-RSASSA-PSS.</summary>
    RsaPssPssSha256 = 0x0809,

    /// <summary>RSASSA-PSS with SHA-384 and a key of type id-RSASSA-PSS.</summary>
    RsaPssPssSha384 = 0x080a,

    /// <summary>RSASSA-PSS with SHA-512 and a key of type id-RSASSA-PSS.</summary>
    RsaPssPssSha512 = 0x080b,
}
