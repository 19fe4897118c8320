using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>The AEAD algorithms of the suites.</summary>
internal enum AeadAlgorithm
{
    AesGcm,
    AesCcm,
    ChaCha20Poly1305,
}

/// <summary>What a cipher suite stands for: of TLS 1.3 (RFC 8446 §B.4), or of TLS 1.2 with ECDHE and an AEAD.</summary>
internal sealed class CipherSuite
{
    /// <summary>Bytes of every suite's nonce.</summary>
    public const int NonceLength = 12;

    /// <summary>Bytes of every suite's tag.</summary>
    public const int TagLength = 16;

    /// <summary>The most bytes of any suite's hash.</summary>
    public const int MaxHashLength = 48;

    private CipherSuite(TlsCipherSuite id, SslProtocols protocol, CertificateKeyKind? signer, HashAlgorithmName hash, AeadAlgorithm aead, int keyLength)
    {
        Id = id;
        Protocol = protocol;
        Signer = signer;
        Hash = hash;
        HashLength = LengthOf(hash);
        Aead = aead;
        KeyLength = keyLength;

        // TLS 1.2: GCM and CCM send eight bytes of the nonce with each record (RFC 5288 §3, RFC 6655 §3); ChaCha20 never does (RFC 7905 §2).
        ExplicitNonceLength = protocol == SslProtocols.Tls12 && aead != AeadAlgorithm.ChaCha20Poly1305 ? 8 : 0;
    }

    /// <summary>All suites, in the order of preference that a server without other wishes uses.</summary>
    public static CipherSuite[] All { get; } =
    [
        Tls13(TlsCipherSuite.TLS_AES_128_GCM_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.AesGcm, 16),
        Tls13(TlsCipherSuite.TLS_AES_256_GCM_SHA384, HashAlgorithmName.SHA384, AeadAlgorithm.AesGcm, 32),
        Tls13(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.ChaCha20Poly1305, 32),
        Tls13(TlsCipherSuite.TLS_AES_128_CCM_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.AesCcm, 16),
        Ecdsa(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.AesGcm, 16),
        Rsa(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.AesGcm, 16),
        Ecdsa(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, HashAlgorithmName.SHA384, AeadAlgorithm.AesGcm, 32),
        Rsa(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, HashAlgorithmName.SHA384, AeadAlgorithm.AesGcm, 32),
        Ecdsa(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.ChaCha20Poly1305, 32),
        Rsa(TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, HashAlgorithmName.SHA256, AeadAlgorithm.ChaCha20Poly1305, 32),
        Ecdsa(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, HashAlgorithmName.SHA256, AeadAlgorithm.AesCcm, 16),
    ];

    public TlsCipherSuite Id { get; }

    /// <summary>The one version that the suite belongs to.</summary>
    public SslProtocols Protocol { get; }

    public bool IsTls13 => Protocol == SslProtocols.Tls13;

    /// <summary>The kind of key that a TLS 1.2 suite is bound to; null in TLS 1.3, whose suites say nothing about it.</summary>
    public CertificateKeyKind? Signer { get; }

    /// <summary>The hash of the transcript, of HKDF or of the PRF.</summary>
    public HashAlgorithmName Hash { get; }

    public int HashLength { get; }

    public AeadAlgorithm Aead { get; }

    public int KeyLength { get; }

    /// <summary>Bytes of the nonce that each record carries.</summary>
    public int ExplicitNonceLength { get; }

    /// <summary>Bytes of the write IV that comes from the handshake.</summary>
    public int IvLength => NonceLength - ExplicitNonceLength;

    /// <summary>Bytes of a suite's hash: SHA-256 or SHA-384.</summary>
    public static int LengthOf(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes;

    public static CipherSuite? Find(TlsCipherSuite id)
    {
        foreach (CipherSuite suite in All)
        {
            if (suite.Id == id)
            {
                return suite;
            }
        }

        return null;
    }

    private static CipherSuite Tls13(TlsCipherSuite id, HashAlgorithmName hash, AeadAlgorithm aead, int keyLength) =>
        new(id, SslProtocols.Tls13, null, hash, aead, keyLength);

    private static CipherSuite Ecdsa(TlsCipherSuite id, HashAlgorithmName hash, AeadAlgorithm aead, int keyLength) =>
        new(id, SslProtocols.Tls12, CertificateKeyKind.Ecdsa, hash, aead, keyLength);

    private static CipherSuite Rsa(TlsCipherSuite id, HashAlgorithmName hash, AeadAlgorithm aead, int keyLength) =>
        new(id, SslProtocols.Tls12, CertificateKeyKind.Rsa, hash, aead, keyLength);
}
