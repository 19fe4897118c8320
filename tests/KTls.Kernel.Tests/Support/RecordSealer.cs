using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KTls.Kernel.Tests.Support;

/// <summary>
/// Seals AES-128-GCM records in user space, as a peer could send them and this kernel would not: empty, padded, damaged.
/// </summary>
internal sealed class RecordSealer(ushort version, TestKeys keys) : IDisposable
{
    private const int TagSize = 16;

    private readonly AesGcm _aes = new(keys.Key, TagSize);
    private ulong _sequence;

    /// <summary>One record, header and all.</summary>
    public byte[] Seal(byte contentType, ReadOnlySpan<byte> content, int padding = 0) =>
        version == CryptoInfo.Tls13 ? SealTls13(contentType, content, padding) : SealTls12(contentType, content);

    public void Dispose() => _aes.Dispose();

    // RFC 8446, 5.2 and 5.3.
    private byte[] SealTls13(byte contentType, ReadOnlySpan<byte> content, int padding)
    {
        byte[] inner = [.. content, contentType, .. new byte[padding]];
        byte[] nonce = [.. keys.Iv];
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(nonce.AsSpan(4)) ^ _sequence++;
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(4), low);

        byte[] record = new byte[5 + inner.Length + TagSize];
        WriteHeader(record, 23, inner.Length + TagSize);
        _aes.Encrypt(
            nonce, inner, record.AsSpan(5, inner.Length), record.AsSpan(5 + inner.Length), record.AsSpan(0, 5));
        return record;
    }

    // RFC 5246, 6.2.3.3, and RFC 5288, 3.
    private byte[] SealTls12(byte contentType, ReadOnlySpan<byte> content)
    {
        byte[] nonce = [.. keys.Iv, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(4), _sequence);
        byte[] additional = new byte[13];
        BinaryPrimitives.WriteUInt64BigEndian(additional, _sequence++);
        WriteHeader(additional.AsSpan(8), contentType, content.Length);

        byte[] record = new byte[5 + 8 + content.Length + TagSize];
        WriteHeader(record, contentType, 8 + content.Length + TagSize);
        nonce.AsSpan(4).CopyTo(record.AsSpan(5));
        _aes.Encrypt(
            nonce, content, record.AsSpan(13, content.Length), record.AsSpan(13 + content.Length), additional);
        return record;
    }

    private static void WriteHeader(Span<byte> header, byte contentType, int length)
    {
        header[0] = contentType;
        BinaryPrimitives.WriteUInt16BigEndian(header[1..], 0x0303);
        BinaryPrimitives.WriteUInt16BigEndian(header[3..], (ushort)length);
    }
}
