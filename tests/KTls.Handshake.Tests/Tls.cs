using System.Buffers.Binary;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>
/// Writes the presentation language of RFC 8446 §3 without any check, so that a test can say what no honest peer says.
/// Shares nothing with the library's own writer.
/// </summary>
internal static class Tls
{
    public static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];

    public static byte[] U16List(params int[] values) => [.. values.SelectMany(U16)];

    public static byte[] Vector8(params byte[][] parts)
    {
        byte[] content = Concat(parts);
        return [(byte)content.Length, .. content];
    }

    public static byte[] Vector16(params byte[][] parts)
    {
        byte[] content = Concat(parts);
        return [.. U16(content.Length), .. content];
    }

    public static byte[] Vector24(params byte[][] parts)
    {
        byte[] content = Concat(parts);
        return [(byte)(content.Length >> 16), .. U16(content.Length), .. content];
    }

    public static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Extension(int type, params byte[][] parts) => [.. U16(type), .. Vector16(parts)];

    public static byte[] Message(HandshakeType type, params byte[][] parts) => [(byte)type, .. Vector24(parts)];

    /// <summary>The message with its body cut or grown, and a length that fits.</summary>
    public static byte[] WithBody(byte[] message, Func<byte[], byte[]> change) => Message((HandshakeType)message[0], change(message[4..]));

    public static byte[] Record(ContentType type, byte[] content, int version = 0x0303) => [(byte)type, .. U16(version), .. Vector16(content)];

    /// <summary>The messages in a run of bytes, each with its header.</summary>
    public static List<byte[]> SplitMessages(byte[] bytes)
    {
        var messages = new List<byte[]>();
        while (bytes.Length != 0)
        {
            int length = 4 + (bytes[1] << 16) + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2));
            messages.Add(bytes[..length]);
            bytes = bytes[length..];
        }

        return messages;
    }
}
