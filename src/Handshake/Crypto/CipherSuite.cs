using System.Net.Security;
using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>The AEAD algorithms of the suites.</summary>
internal enum AeadAlgorithm
{
    AesGcm,
    ChaCha20Poly1305,
    AesCcm,
}

/// <summary>What a TLS 1.3 cipher suite stands for (RFC 8446 §B.4).</summary>
internal sealed class CipherSuite
{
    /// <summary>Bytes of every suite's nonce and write IV.</summary>
    public const int IvLength = 12;

    /// <summary>Bytes of every suite's tag.</summary>
    public const int TagLength = 16;

    /// <summary>The most bytes of any suite's hash.</summary>
    public const int MaxHashLength = 48;

    private CipherSuite(TlsCipherSuite id, HashAlgorithmName hash, int hashLength, AeadAlgorithm aead, int keyLength)
    {
        Id = id;
        Hash = hash;
        HashLength = hashLength;
        Aead = aead;
        KeyLength = keyLength;
    }

    /// <summary>All suites, in the order of preference that a server without other wishes uses.</summary>
    public static CipherSuite[] All { get; } =
    [
        new(TlsCipherSuite.TLS_AES_128_GCM_SHA256, HashAlgorithmName.SHA256, 32, AeadAlgorithm.AesGcm, 16),
        new(TlsCipherSuite.TLS_AES_256_GCM_SHA384, HashAlgorithmName.SHA384, 48, AeadAlgorithm.AesGcm, 32),
        new(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, HashAlgorithmName.SHA256, 32, AeadAlgorithm.ChaCha20Poly1305, 32),
        new(TlsCipherSuite.TLS_AES_128_CCM_SHA256, HashAlgorithmName.SHA256, 32, AeadAlgorithm.AesCcm, 16),
    ];

    public TlsCipherSuite Id { get; }

    public HashAlgorithmName Hash { get; }

    public int HashLength { get; }

    public AeadAlgorithm Aead { get; }

    public int KeyLength { get; }

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
}
