namespace KTls.Kernel.Tests;

public class CryptoInfoTests
{
    private static readonly byte[] Key16 = [.. Enumerable.Range(0xA0, 16).Select(i => (byte)i)];
    private static readonly byte[] Key32 = [.. Enumerable.Range(0xA0, 32).Select(i => (byte)i)];
    private static readonly byte[] Iv12 = [.. Enumerable.Range(0x01, 12).Select(i => (byte)i)];
    private static readonly byte[] Salt4 = [0xF1, 0xF2, 0xF3, 0xF4];

    private const ulong Sequence = 0x1112131415161718;
    private const string SequenceHex = "1112131415161718";
    private const string Key16Hex = "A0A1A2A3A4A5A6A7A8A9AAABACADAEAF";
    private const string Key32Hex = Key16Hex + "B0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF";

    // include/uapi/linux/tls.h: version and cipher type (little-endian here), iv, key, salt, rec_seq.
    [Theory]
    [InlineData(KernelCipher.AesGcm128, "0403" + "3300" + "05060708090A0B0C" + Key16Hex + "01020304" + SequenceHex, 40)]
    [InlineData(KernelCipher.AesGcm256, "0403" + "3400" + "05060708090A0B0C" + Key32Hex + "01020304" + SequenceHex, 56)]
    [InlineData(KernelCipher.AesCcm128, "0403" + "3500" + "05060708090A0B0C" + Key16Hex + "01020304" + SequenceHex, 40)]
    [InlineData(KernelCipher.ChaCha20Poly1305, "0403" + "3600" + "0102030405060708090A0B0C" + Key32Hex + SequenceHex, 56)]
    internal void Tls13_splits_the_write_iv(KernelCipher cipher, string expected, int size)
    {
        AssertLayout(CryptoInfo.Tls13, cipher, Iv12, expected, size);
    }

    [Theory]
    [InlineData(KernelCipher.AesGcm128, "0303" + "3300" + SequenceHex + Key16Hex + "F1F2F3F4" + SequenceHex, 40)]
    [InlineData(KernelCipher.AesGcm256, "0303" + "3400" + SequenceHex + Key32Hex + "F1F2F3F4" + SequenceHex, 56)]
    [InlineData(KernelCipher.AesCcm128, "0303" + "3500" + SequenceHex + Key16Hex + "F1F2F3F4" + SequenceHex, 40)]
    internal void Tls12_takes_the_salt_and_counts_the_explicit_nonce(KernelCipher cipher, string expected, int size)
    {
        AssertLayout(CryptoInfo.Tls12, cipher, Salt4, expected, size);
    }

    [Fact]
    public void Tls12_ChaCha20_has_no_explicit_nonce()
    {
        AssertLayout(
            CryptoInfo.Tls12, KernelCipher.ChaCha20Poly1305, Iv12,
            "0303" + "3600" + "0102030405060708090A0B0C" + Key32Hex + SequenceHex, 56);
    }

    [Theory]
    [InlineData(0x0302, KernelCipher.AesGcm128, 16, 12, 56)]
    [InlineData(0x0304, (KernelCipher)55, 16, 12, 56)]
    [InlineData(0x0304, KernelCipher.AesGcm128, 15, 12, 56)]
    [InlineData(0x0304, KernelCipher.AesGcm128, 32, 12, 56)]
    [InlineData(0x0304, KernelCipher.AesGcm256, 16, 12, 56)]
    [InlineData(0x0304, KernelCipher.AesGcm128, 16, 4, 56)]
    [InlineData(0x0303, KernelCipher.AesGcm128, 16, 12, 56)]
    [InlineData(0x0303, KernelCipher.ChaCha20Poly1305, 32, 4, 56)]
    [InlineData(0x0304, KernelCipher.AesGcm128, 16, 12, 39)]
    [InlineData(0x0304, KernelCipher.ChaCha20Poly1305, 32, 12, 55)]
    internal void Refuses_what_does_not_fit(int version, KernelCipher cipher, int keySize, int ivSize, int room)
    {
        Assert.Throws<ArgumentException>(
            () => CryptoInfo.Write(new byte[room], (ushort)version, cipher, new byte[keySize], new byte[ivSize], 0));
    }

    private static void AssertLayout(ushort version, KernelCipher cipher, byte[] iv, string expected, int size)
    {
        byte[] key = cipher is KernelCipher.AesGcm256 or KernelCipher.ChaCha20Poly1305 ? Key32 : Key16;
        byte[] buffer = [.. Enumerable.Repeat((byte)0xEE, 64)];

        int written = CryptoInfo.Write(buffer, version, cipher, key, iv, Sequence);

        Assert.Equal(size, written);
        Assert.Equal(expected, Convert.ToHexString(buffer, 0, written));
        Assert.All(buffer[written..], b => Assert.Equal(0xEE, b));
    }
}
