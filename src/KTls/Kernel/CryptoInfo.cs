using System.Buffers.Binary;

namespace KTls.Kernel;

/// <summary>
/// The kernel's tls12_crypto_info_* structures (include/uapi/linux/tls.h), which serve TLS 1.2 and TLS 1.3 alike:
/// version and cipher type in host order, iv, key, salt, and the record sequence number in network order.
/// </summary>
internal static class CryptoInfo
{
    /// <summary>The protocol version of TLS 1.2 on the wire.</summary>
    public const ushort Tls12 = 0x0303;

    /// <summary>The protocol version of TLS 1.3 on the wire.</summary>
    public const ushort Tls13 = 0x0304;

    /// <summary>The size of the largest structure.</summary>
    public const int MaxSize = 56;

    /// <summary>Bytes of every cipher's nonce.</summary>
    public const int NonceSize = 12;

    private const int HeaderSize = 4;
    private const int SequenceSize = 8;

    /// <summary>Writes the structure for the next record of one direction.</summary>
    /// <param name="destination">At least <see cref="MaxSize"/> bytes, or the exact size.</param>
    /// <param name="version">0x0303 or 0x0304.</param>
    /// <param name="cipher">The algorithm.</param>
    /// <param name="key">The write key: 16 bytes, or 32 for AES-256 and ChaCha20.</param>
    /// <param name="iv">
    /// TLS 1.3, and ChaCha20-Poly1305 under both versions: the 12-byte write IV (RFC 8446, 5.3; RFC 7905, 2).
    /// TLS 1.2 with GCM or CCM: the 4-byte implicit part, called salt (RFC 5288, 3; RFC 6655, 3).
    /// </param>
    /// <param name="sequence">The sequence number of the next record.</param>
    /// <returns>The number of bytes written.</returns>
    /// <exception cref="ArgumentException">A length or a value does not fit the version and the cipher.</exception>
    public static int Write(
        Span<byte> destination, ushort version, KernelCipher cipher,
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ulong sequence)
    {
        if (version is not (Tls12 or Tls13))
        {
            throw new ArgumentException("The kernel knows TLS 1.2 and TLS 1.3 only.", nameof(version));
        }

        (int keySize, int saltSize) = PartsOf(cipher);
        int ivSize = NonceSize - saltSize;
        int size = SizeOf(cipher);

        if (key.Length != keySize)
        {
            throw new ArgumentException($"The key of {cipher} has {keySize} bytes.", nameof(key));
        }

        bool explicitNonce = HasExplicitNonce(version, saltSize);
        int expectedIv = IvSizeOf(version, cipher);
        if (iv.Length != expectedIv)
        {
            throw new ArgumentException($"The IV of {cipher} has {expectedIv} bytes in this version.", nameof(iv));
        }

        if (destination.Length < size)
        {
            throw new ArgumentException($"The structure needs {size} bytes.", nameof(destination));
        }

        Span<byte> ivField = destination.Slice(HeaderSize, ivSize);
        Span<byte> rest = destination[(HeaderSize + ivSize)..size];

        // These two fields are native integers for the kernel, so a big-endian machine writes them its own way.
        WriteNative(destination, version);
        WriteNative(destination[2..], (ushort)cipher);

        if (explicitNonce)
        {
            // RFC 5288, 3: the sender chooses the explicit nonce and may take the sequence number, which never repeats.
            BinaryPrimitives.WriteUInt64BigEndian(ivField, sequence);
        }
        else
        {
            iv[saltSize..].CopyTo(ivField);
        }

        key.CopyTo(rest);
        iv[..saltSize].CopyTo(rest[keySize..]);
        BinaryPrimitives.WriteUInt64BigEndian(rest[(keySize + saltSize)..], sequence);
        return size;
    }

    /// <summary>Bytes of the structure of a cipher.</summary>
    /// <exception cref="ArgumentException">Not a cipher of this interface.</exception>
    public static int SizeOf(KernelCipher cipher) => HeaderSize + NonceSize + KeySizeOf(cipher) + SequenceSize;

    /// <summary>Bytes of a cipher's key.</summary>
    /// <exception cref="ArgumentException">Not a cipher of this interface.</exception>
    public static int KeySizeOf(KernelCipher cipher) => PartsOf(cipher).KeySize;

    /// <summary>Bytes of what <see cref="Write"/> takes as the IV.</summary>
    /// <exception cref="ArgumentException">Not a cipher of this interface.</exception>
    public static int IvSizeOf(ushort version, KernelCipher cipher)
    {
        int saltSize = PartsOf(cipher).SaltSize;
        return HasExplicitNonce(version, saltSize) ? saltSize : NonceSize;
    }

    /// <summary>The number of the next record, from a structure that the kernel has filled.</summary>
    public static ulong ReadSequence(ReadOnlySpan<byte> info) => BinaryPrimitives.ReadUInt64BigEndian(info[^SequenceSize..]);

    private static bool HasExplicitNonce(ushort version, int saltSize) => version == Tls12 && saltSize != 0;

    private static (int KeySize, int SaltSize) PartsOf(KernelCipher cipher) => cipher switch
    {
        KernelCipher.AesGcm128 or KernelCipher.AesCcm128 => (16, 4),
        KernelCipher.AesGcm256 => (32, 4),
        KernelCipher.ChaCha20Poly1305 => (32, 0),
        _ => throw new ArgumentException("Not a cipher of this kernel interface.", nameof(cipher)),
    };

    private static void WriteNative(Span<byte> destination, ushort value) => BitConverter.TryWriteBytes(destination, value);
}
