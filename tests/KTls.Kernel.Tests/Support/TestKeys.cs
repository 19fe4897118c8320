namespace KTls.Kernel.Tests.Support;

/// <summary>Fixed traffic keys, different for the two directions.</summary>
internal sealed record TestKeys(byte[] Key, byte[] Iv)
{
    /// <summary>The keys of one direction, of the lengths that the cipher and the version want.</summary>
    public static TestKeys For(ushort version, KernelCipher cipher, bool fromClient, byte generation = 0)
    {
        bool chacha = cipher == KernelCipher.ChaCha20Poly1305;
        int keySize = chacha || cipher == KernelCipher.AesGcm256 ? 32 : 16;
        int ivSize = chacha || version == CryptoInfo.Tls13 ? 12 : 4;
        byte first = (byte)((fromClient ? 0x10 : 0x60) + generation);
        return new TestKeys(Count(first, keySize), Count((byte)(first + 0x20), ivSize));
    }

    private static byte[] Count(byte first, int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(first + i))];
}
