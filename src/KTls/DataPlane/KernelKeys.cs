using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>Gives a direction's keys to the kernel.</summary>
internal static class KernelKeys
{
    /// <summary>The kernel's number for a suite; null for suites that the kernel does not seal.</summary>
    public static KernelCipher? CipherOf(TlsCipherSuite suite) => suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            or TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => KernelCipher.AesGcm128,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
            or TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => KernelCipher.AesGcm256,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            or TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => KernelCipher.ChaCha20Poly1305,
        TlsCipherSuite.TLS_AES_128_CCM_SHA256
            or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM => KernelCipher.AesCcm128,
        _ => null,
    };

    /// <summary>Installs keys.</summary>
    /// <param name="socket">The socket with the ULP attached.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="sequence">The number of the first record that the kernel handles.</param>
    /// <returns>0, or the errno of the refusal: nothing has changed then.</returns>
    public static int Install(KernelSocket socket, KernelDirection direction, RecordKeys keys, ulong sequence) =>
        CipherOf(keys.CipherSuite) is { } cipher
            ? socket.SetKeys(direction, keys.Protocol == SslProtocols.Tls13 ? CryptoInfo.Tls13 : CryptoInfo.Tls12, cipher, keys.Key, keys.Iv, sequence)
            : ErrorNumber.ENOPROTOOPT;
}
