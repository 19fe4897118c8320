using System.Net.Security;
using KTls.Handshake;

namespace KTls.DataPlane;

/// <summary>How much may be sealed or opened with one key (RFC 8446 §5.5, RFC 9325 §4.4).</summary>
/// <param name="RekeyRecords">Records after which the key changes.</param>
/// <param name="RekeyBytes">Bytes after which the key changes.</param>
/// <param name="MaxCost">The <see cref="KeyUsage.Cost"/> that is never exceeded when sealing.</param>
/// <param name="MaxOpenedCost">The same when opening: a peer that goes beyond has spent what made its key safe.</param>
internal readonly record struct KeyLimits(long RekeyRecords, long RekeyBytes, long MaxCost, long MaxOpenedCost)
{
    // Up to 2^24.5 full-size records are safe with AES-GCM; these are 2^24 of 2^14 bytes.
    private const long AesGcm = 1L << 38;

    // CCM halves twice what an attacker must see: 2^23 full-size records are safe (RFC 9147 §4.5.3), these are 2^22.
    private const long AesCcm = 1L << 36;

    // ChaCha20-Poly1305 has no such limit; the record's number, of 64 bits, must not wrap.
    private const long ChaCha20 = 1L << 60;

    /// <summary>The limits of a suite, or lower ones from the options.</summary>
    /// <remarks>
    /// How much a peer seals is its own choice, within the limits of the RFCs, which half as much again takes in:
    /// <see cref="KTlsOptions.MaxBytesPerKey"/> is about what we seal, and where keys change that is less by far.
    /// </remarks>
    public static KeyLimits Of(TlsCipherSuite suite, KTlsOptions options)
    {
        long aead = OfAead(suite);
        return new KeyLimits(
            options.RekeyAfterRecords, Math.Min(options.RekeyAfterBytes, aead / 4), Math.Min(aead, options.MaxBytesPerKey ?? long.MaxValue), aead + (aead >> 1));
    }

    private static long OfAead(TlsCipherSuite suite) => suite switch
    {
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            or TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => ChaCha20,
        TlsCipherSuite.TLS_AES_128_CCM_SHA256
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM => AesCcm,
        _ => AesGcm,
    };
}
