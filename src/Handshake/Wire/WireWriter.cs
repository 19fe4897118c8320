using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KTls.Handshake.Wire;

/// <summary>Writes the presentation language of RFC 8446 §3 into a pooled buffer that grows.</summary>
internal sealed class WireWriter : IDisposable
{
    private byte[] _buffer;

    public WireWriter(int capacity = 2048) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, Length);

    /// <summary>What was written from <paramref name="start"/> on, to be changed in place.</summary>
    public Span<byte> WrittenFrom(int start) => _buffer.AsSpan(start, Length - start);

    public void WriteUInt8(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    public void WriteUInt24(int value) => PutUInt24(Reserve(3), value);

    public void WriteBytes(scoped ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void WriteVector8(scoped ReadOnlySpan<byte> value)
    {
        WriteUInt8(checked((byte)value.Length));
        WriteBytes(value);
    }

    public void WriteVector16(scoped ReadOnlySpan<byte> value)
    {
        WriteUInt16(checked((ushort)value.Length));
        WriteBytes(value);
    }

    /// <summary>Starts a vector whose length of <paramref name="lengthBytes"/> bytes <see cref="End"/> fills in.</summary>
    public Vector Begin(int lengthBytes)
    {
        Reserve(lengthBytes);
        return new Vector(Length, lengthBytes);
    }

    public void End(Vector vector)
    {
        int length = Length - vector.Start;
        Span<byte> field = _buffer.AsSpan(vector.Start - vector.LengthBytes, vector.LengthBytes);
        switch (vector.LengthBytes)
        {
            case 1:
                field[0] = checked((byte)length);
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(field, checked((ushort)length));
                break;
            default:
                ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 0xffffff);
                PutUInt24(field, length);
                break;
        }
    }

    /// <summary>Starts a handshake message; <see cref="End"/> closes it.</summary>
    public Vector BeginMessage(HandshakeType type)
    {
        WriteUInt8((byte)type);
        return Begin(3);
    }

    /// <summary>Starts an extension; <see cref="End"/> closes it.</summary>
    public Vector BeginExtension(ExtensionType type)
    {
        WriteUInt16((ushort)type);
        return Begin(2);
    }

    /// <summary>The next <paramref name="count"/> bytes, to be filled by the caller.</summary>
    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Grow(count);
        }

        Span<byte> reserved = _buffer.AsSpan(Length, count);
        Length += count;
        return reserved;
    }

    public void Clear() => Length = 0;

    /// <summary>Takes back what was written beyond a length.</summary>
    public void Truncate(int length) => Length = length;

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length != 0)
        {
            Return(buffer);
        }
    }

    private static void PutUInt24(Span<byte> field, int value)
    {
        field[0] = (byte)(value >> 16);
        field[1] = (byte)(value >> 8);
        field[2] = (byte)value;
    }

    private static void Return(byte[] buffer)
    {
        CryptographicOperations.ZeroMemory(buffer);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Grow(int count)
    {
        byte[] grown = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, checked(Length + count)));
        WrittenSpan.CopyTo(grown);
        byte[] old = _buffer;
        _buffer = grown;
        if (old.Length != 0)
        {
            Return(old);
        }
    }

    internal readonly record struct Vector(int Start, int LengthBytes);
}
