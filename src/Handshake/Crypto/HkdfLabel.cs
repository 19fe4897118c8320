using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>HKDF-Expand-Label (RFC 8446 §7.1).</summary>
internal static class HkdfLabel
{
    // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; }, and HKDF's counter behind it.
    private const int MaxSize = 2 + 1 + 255 + 1 + 255 + 1;

    private static ReadOnlySpan<byte> Prefix => "tls13 "u8;

    /// <summary>Expands a label to any length.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="label">The label without its prefix.</param>
    /// <param name="context">The context.</param>
    /// <param name="output">The result.</param>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[MaxSize];
        HKDF.Expand(hash, secret, output, info[..Write(info, label, context, output.Length)]);
    }

    /// <summary>Expands a label to no more than the hash has, for which HKDF needs one block (RFC 5869 §2.3).</summary>
    /// <param name="hmac">HMAC with the secret as its key, which can be used for several labels.</param>
    /// <param name="label">The label without its prefix.</param>
    /// <param name="context">The context.</param>
    /// <param name="output">The result.</param>
    public static void Expand(Hmac hmac, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, hmac.Length, nameof(output));
        Span<byte> info = stackalloc byte[MaxSize];
        int length = Write(info, label, context, output.Length);

        // T(1) = HMAC(secret, info + 1)
        info[length++] = 1;
        Span<byte> block = stackalloc byte[hmac.Length];
        hmac.Compute(info[..length], block);
        block[..output.Length].CopyTo(output);
        CryptographicOperations.ZeroMemory(block);
    }

    private static int Write(Span<byte> info, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int outputLength)
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
