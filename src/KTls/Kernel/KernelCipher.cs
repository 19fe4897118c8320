namespace KTls.Kernel;

/// <summary>The record protection algorithms that KTls hands to the kernel, by their numbers in include/uapi/linux/tls.h.</summary>
internal enum KernelCipher : ushort
{
    /// <summary>TLS_CIPHER_AES_GCM_128.</summary>
    AesGcm128 = 51,

    /// <summary>TLS_CIPHER_AES_GCM_256.</summary>
    AesGcm256 = 52,

    /// <summary>TLS_CIPHER_AES_CCM_128.</summary>
    AesCcm128 = 53,

    /// <summary>TLS_CIPHER_CHACHA20_POLY1305.</summary>
    ChaCha20Poly1305 = 54,
}
