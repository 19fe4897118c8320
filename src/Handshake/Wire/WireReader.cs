using System.Buffers.Binary;

namespace KTls.Handshake.Wire;

/// <summary>Reads the presentation language of RFC 8446 §3; whatever does not fit is a decode_error.</summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _source;

    public WireReader(ReadOnlySpan<byte> source) => _source = source;

    public int Position { get; private set; }

    public readonly int Remaining => _source.Length - Position;

    public readonly bool IsEmpty => Remaining == 0;

    public byte ReadUInt8() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public int ReadUInt24()
    {
        ReadOnlySpan<byte> bytes = Take(3);
        return (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
    }

    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    /// <summary>A vector with a one-byte length, <c>opaque x&lt;minimum..255&gt;</c>.</summary>
    public ReadOnlySpan<byte> ReadVector8(int minimum = 0) => AtLeast(minimum, Take(ReadUInt8()));

    /// <summary>A vector with a two-byte length, <c>opaque x&lt;minimum..2^16-1&gt;</c>.</summary>
    public ReadOnlySpan<byte> ReadVector16(int minimum = 0) => AtLeast(minimum, Take(ReadUInt16()));

    /// <summary>A vector with a three-byte length, <c>opaque x&lt;minimum..2^24-1&gt;</c>.</summary>
    public ReadOnlySpan<byte> ReadVector24(int minimum = 0) => AtLeast(minimum, Take(ReadUInt24()));

    public readonly void ExpectEnd()
    {
        if (!IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, $"{Remaining} bytes too many at the end of a structure.");
        }
    }

    private static ReadOnlySpan<byte> AtLeast(int minimum, ReadOnlySpan<byte> vector) =>
        vector.Length >= minimum
            ? vector
            : throw new TlsAlertException(AlertDescription.DecodeError, $"A vector of {vector.Length} bytes is shorter than the least of {minimum}.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, $"A structure ends {count - Remaining} bytes early.");
        }

        ReadOnlySpan<byte> taken = _source.Slice(Position, count);
        Position += count;
        return taken;
    }
}
