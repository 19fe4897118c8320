using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>HKDF-Expand-Label (RFC 8446 §7.1).</summary>
internal static class HkdfLabel
{
    // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; }
    public const int MaxSize = 2 + 1 + 255 + 1 + 255;

    private static ReadOnlySpan<byte> Prefix => "tls13 "u8;

    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[MaxSize];
        HKDF.Expand(hash, secret, output, info[..Write(info, label, context, output.Length)]);
    }

    /// <summary>Writes the structure that HKDF-Expand takes as its info.</summary>
    /// <param name="info">At least <see cref="MaxSize"/> bytes.</param>
    /// <param name="label">The label without its prefix.</param>
    /// <param name="context">The context.</param>
    /// <param name="outputLength">Bytes of the output.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> info, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int outputLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(info, checked((ushort)outputLength));
        int length = 2;
        info[length++] = checked((byte)(Prefix.Length + label.Length));
        Prefix.CopyTo(info[length..]);
        length += Prefix.Length;
        label.CopyTo(info[length..]);
        length += label.Length;
        info[length++] = checked((byte)context.Length);
        context.CopyTo(info[length..]);
        return length + context.Length;
    }
}
