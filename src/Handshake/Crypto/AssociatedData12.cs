using System.Buffers.Binary;

namespace KTls.Handshake.Crypto;

/// <summary>What a TLS 1.2 record is authenticated with beside its content (RFC 5246 §6.2.3.3).</summary>
internal static class AssociatedData12
{
    public const int Length = 13;

    public static void Write(Span<byte> destination, ulong sequence, ContentType type, int contentLength)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, sequence);
        RecordHeader.Write(destination[8..], type, contentLength);
    }
}
