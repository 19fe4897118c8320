using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz;

/// <summary>Changes inputs at random, with some knowledge of what TLS looks like: vectors with their lengths, and numbers that mean something.</summary>
internal sealed class Mutator(Random random)
{
    private static readonly byte[] Bytes = [0, 1, 2, 4, 7, 16, 20, 22, 23, 24, 32, 48, 63, 64, 127, 128, 254, 255];

    private static readonly ushort[] Numbers =
    [
        .. Enum.GetValues<ExtensionType>().Select(type => (ushort)type),
        .. Enum.GetValues<NamedGroup>().Select(group => (ushort)group),
        .. Enum.GetValues<SignatureScheme>().Select(scheme => (ushort)scheme),
        .. CipherSuite.All.Select(suite => (ushort)suite.Id),
        0, 1, 2, 32, 64, 255, 256, 0x0300, 0x0301, 0x0303, 0x0304, 0x0a0a, 0x4000, 0x5600, 0x7fff, 0x8000, 0xffff,
    ];

    /// <summary>Changes an input.</summary>
    /// <param name="input">The input.</param>
    /// <param name="other">Another one, to take parts from.</param>
    /// <param name="maxLength">The most bytes of the result.</param>
    /// <returns>The changed input.</returns>
    public byte[] Mutate(ReadOnlySpan<byte> input, ReadOnlySpan<byte> other, int maxLength)
    {
        List<byte> bytes = [.. input];
        for (int changes = 1 << random.Next(4); changes > 0; changes--)
        {
            ChangeOnce(bytes, other);
        }

        return [.. bytes.Take(maxLength)];
    }

    private void ChangeOnce(List<byte> bytes, ReadOnlySpan<byte> other)
    {
        int at = random.Next(bytes.Count + 1);
        int count = Math.Min(Size(), bytes.Count - at);
        switch (random.Next(12))
        {
            case 0 when count > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when count > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when count > 0:
                bytes[at] = Bytes[random.Next(Bytes.Length)];
                break;
            case 3 when count > 0:
                bytes[at] += (byte)random.Next(-3, 4);
                break;
            case 4 when bytes.Count - at >= 2:
                BinaryPrimitives.WriteUInt16BigEndian(CollectionsMarshal.AsSpan(bytes)[at..], Numbers[random.Next(Numbers.Length)]);
                break;
            case 5:
                Replace(bytes, at, count, []);
                break;
            case 6:
                Replace(bytes, at, 0, [.. bytes.GetRange(at, count)]);
                break;
            case 7:
                Replace(bytes, at, 0, Random(Size()));
                break;
            case 8:
                Replace(bytes, at, random.Next(count + 1), Part(other));
                break;
            case 9 when bytes.Count != 0:
                Replace(bytes, at, 0, Part(CollectionsMarshal.AsSpan(bytes)));
                break;
            case 10 when random.Next(8) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                CopyOver(bytes, at, other);
                break;
        }
    }

    // Mostly a few, sometimes many.
    private int Size() => 1 + random.Next(1 << random.Next(1, random.Next(8) == 0 ? 11 : 6));

    private byte[] Random(int count)
    {
        byte[] bytes = new byte[count];
        if (random.Next(2) == 0)
        {
            random.NextBytes(bytes);
        }
        else
        {
            bytes.AsSpan().Fill((byte)random.Next(256));
        }

        return bytes;
    }

    private byte[] Part(ReadOnlySpan<byte> of)
    {
        int start = random.Next(of.Length + 1);
        return of.Slice(start, Math.Min(Size(), of.Length - start)).ToArray();
    }

    private void CopyOver(List<byte> bytes, int at, ReadOnlySpan<byte> other)
    {
        byte[] part = Part(other);
        for (int i = 0; i < part.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = part[i];
        }
    }

    // Mostly the vectors around the change get lengths that fit, so that what is inside is read and not only its frame.
    private void Replace(List<byte> bytes, int at, int count, byte[] replacement)
    {
        if (random.Next(4) != 0)
        {
            AdjustLengths(bytes, at, at + count, replacement.Length - count);
        }

        bytes.RemoveRange(at, count);
        bytes.InsertRange(at, replacement);
    }

    // From the outermost vector inwards: what looks like a length and ends with what is around it is taken for one; what ends
    // earlier, sometimes.
    private void AdjustLengths(List<byte> bytes, int start, int end, int difference)
    {
        int outerEnd = bytes.Count;
        for (int at = 0; at < start; at++)
        {
            for (int width = 1; width <= 3 && at + width <= start; width++)
            {
                int length = Read(bytes, at, width);
                int innerEnd = at + width + length;
                if (innerEnd < end || innerEnd > outerEnd || length + difference < 0 || (innerEnd != outerEnd && random.Next(3) != 0))
                {
                    continue;
                }

                Write(bytes, at, width, length + difference);
                outerEnd = innerEnd;
                at += width - 1;
                break;
            }
        }
    }

    private static int Read(List<byte> bytes, int at, int width)
    {
        int value = 0;
        for (int i = 0; i < width; i++)
        {
            value = (value << 8) | bytes[at + i];
        }

        return value;
    }

    private static void Write(List<byte> bytes, int at, int width, int value)
    {
        for (int i = width - 1; i >= 0; i--, value >>= 8)
        {
            bytes[at + i] = (byte)value;
        }
    }
}
