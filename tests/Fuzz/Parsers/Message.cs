using KTls.Handshake.Wire;

namespace KTls.Fuzz.Parsers;

/// <summary>Inputs as the parsers of messages get them.</summary>
internal static class Message
{
    /// <summary>A message with the right header: whoever puts messages together has seen to it (HandshakeMessageBuffer).</summary>
    public static byte[] Of(HandshakeType type, ReadOnlySpan<byte> body) => [(byte)type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    /// <summary>Takes a byte that chooses how the rest is parsed.</summary>
    public static byte TakeChoice(ref ReadOnlySpan<byte> input)
    {
        byte choice = input.IsEmpty ? (byte)0 : input[0];
        input = input.IsEmpty ? input : input[1..];
        return choice;
    }
}
