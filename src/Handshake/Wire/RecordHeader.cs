using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace KTls.Handshake;

/// <summary>The five bytes before every record (RFC 8446 §5.1), and the limits of what follows them.</summary>
[Experimental(Maturity.Experimental)]
public readonly struct RecordHeader
{
    /// <summary>Bytes of a record header.</summary>
    public const int Size = 5;

    /// <summary>The most bytes of content in a record: 2^14.</summary>
    public const int MaxPlaintext = 1 << 14;

    /// <summary>The most bytes of an encrypted record: 2^14 + 256 (RFC 8446 §5.2), which holds for the AEADs of TLS 1.2, too.</summary>
    public const int MaxCiphertext = MaxPlaintext + 256;

    private RecordHeader(ContentType type, int length)
    {
        Type = type;
        Length = length;
    }

    /// <summary>The type that the header names.</summary>
    public ContentType Type { get; }

    /// <summary>Bytes that follow the header.</summary>
    public int Length { get; }

    /// <summary>Bytes of the whole record.</summary>
    public int RecordLength => Size + Length;

    /// <summary>Reads a header and checks all that can be told from it alone.</summary>
    /// <param name="source">At least <see cref="Size"/> bytes.</param>
    /// <returns>The header.</returns>
    /// <exception cref="TlsAlertException">Not a TLS record, or one that is too long.</exception>
    public static RecordHeader Read(ReadOnlySpan<byte> source)
    {
        var type = (ContentType)source[0];
        if (type is < ContentType.ChangeCipherSpec or > ContentType.ApplicationData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"Not a TLS record: content type {source[0]}.");
        }

        // legacy_record_version says nothing (RFC 8446 §5.1), but another major version is another protocol.
        if (source[1] != 3)
        {
            throw new TlsAlertException(AlertDescription.ProtocolVersion, $"Not a TLS record: version {source[1]}.{source[2]}.");
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(source[3..]);
        if (length > MaxCiphertext)
        {
            throw new TlsAlertException(AlertDescription.RecordOverflow, $"A record of {length} bytes is over the limit of {MaxCiphertext}.");
        }

        return new RecordHeader(type, length);
    }

    /// <summary>Writes a header.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <param name="type">The record's type.</param>
    /// <param name="length">Bytes that follow the header, from 0 to 65535.</param>
    /// <exception cref="OverflowException"><paramref name="length"/> is out of bounds.</exception>
    public static void Write(Span<byte> destination, ContentType type, int length) =>
        Write(destination, type, Wire.ProtocolVersion.Tls12, length);

    /// <summary>Checks that bytes are as long as the header that they begin with says.</summary>
    /// <exception cref="ArgumentException">They are not: the caller's fault.</exception>
    /// <exception cref="TlsAlertException">They do not begin with a header: the peer's.</exception>
    internal static void CheckFraming(ReadOnlySpan<byte> record)
    {
        if (record.Length < Size || record.Length != Read(record).RecordLength)
        {
            throw new ArgumentException($"{record.Length} bytes are not one whole record.", nameof(record));
        }
    }

    internal static void Write(Span<byte> destination, ContentType type, ushort version, int length)
    {
        destination[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], version);
        BinaryPrimitives.WriteUInt16BigEndian(destination[3..], checked((ushort)length));
    }
}
