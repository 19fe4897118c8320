using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>The parameters of an id-RSASSA-PSS key (RFC 4055 §3.1), which may bind it to one hash.</summary>
internal static class RsaPssParameters
{
    // The last bytes of the hashes' identifiers (2.16.840.1.101.3.4.2.x), and of the salt's length.
    private const int HashPosition = 16;
    private const int MaskHashPosition = 46;
    private const int SaltPosition = 53;

    // RSASSA-PSS-params in DER with SHA-256 for the hash and for MGF1, and a salt as long as the hash.
    private static ReadOnlySpan<byte> Template =>
    [
        0x30, 0x34,
        0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0xa2, 0x03, 0x02, 0x01, 0x20,
    ];

    /// <summary>
    /// Whether a key with these parameters may sign with a hash in TLS, where MGF1 has the same hash and the salt its length
    /// (RFC 8446 §4.2.3). Without parameters it may sign with every one.
    /// </summary>
    public static bool Allow(ReadOnlySpan<byte> parameters, HashAlgorithmName hash)
    {
        if (parameters.IsEmpty)
        {
            return true;
        }

        (byte identifier, byte saltLength) = hash.Name switch
        {
            nameof(HashAlgorithmName.SHA384) => ((byte)2, (byte)48),
            nameof(HashAlgorithmName.SHA512) => ((byte)3, (byte)64),
            _ => ((byte)1, (byte)32),
        };
        Span<byte> expected = stackalloc byte[Template.Length];
        Template.CopyTo(expected);
        expected[HashPosition] = identifier;
        expected[MaskHashPosition] = identifier;
        expected[SaltPosition] = saltLength;
        return parameters.SequenceEqual(expected);
    }
}
