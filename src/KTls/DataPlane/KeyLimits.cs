using System.Net.Security;
using KTls.Handshake;

namespace KTls.DataPlane;

/// <summary>How much may be sealed or opened with one key (RFC 8446 §5.5, RFC 9325 §4.4).</summary>
/// <param name="RekeyRecords">Records after which the key changes.</param>
/// <param name="RekeyBytes">Bytes after which the key changes.</param>
/// <param name="MaxCost">The <see cref="KeyUsage.Cost"/> that is never exceeded when sealing.</param>
internal readonly record struct KeyLimits(long RekeyRecords, long RekeyBytes, long MaxCost)
{
    // Up to 2^24.5 full-size records are safe with AES-GCM; these are 2^24 of 2^14 bytes.
    private const long AesGcm = 1L << 38;

    // CCM halves twice what an attacker must see: 2^23 full-size records are safe (RFC 9147 §4.5.3), these are 2^22.
    private const long AesCcm = 1L << 36;

    // ChaCha20-Poly1305 has no such limit; the record's number, of 64 bits, must not wrap.
    private const long ChaCha20 = 1L << 60;

    /// <summary>
    /// The cost that is never exceeded when opening: half as much again, which takes the limits of the RFCs in. A peer that goes
    /// beyond has spent what made its key safe.
    /// </summary>
    public long MaxOpenedCost => MaxCost + (MaxCost >> 1);

    /// <summary>The limits of a suite, or lower ones from the options.</summary>
    public static KeyLimits Of(TlsCipherSuite suite, KTlsOptions options)
    {
        long maxCost = Math.Min(OfAead(suite), options.MaxBytesPerKey ?? long.MaxValue);
        return new KeyLimits(options.RekeyAfterRecords, Math.Min(options.RekeyAfterBytes, maxCost / 4), maxCost);
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
