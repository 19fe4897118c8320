namespace KTls.Handshake.Wire;

/// <summary>ClientKeyExchange: the client's ephemeral share (RFC 8422 §5.7).</summary>
internal static class ClientKeyExchange
{
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        ReadOnlySpan<byte> share = reader.ReadVector8(minimum: 1);
        reader.ExpectEnd();
        return share;
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte> share)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ClientKeyExchange);
        writer.WriteVector8(share);
        writer.End(message);
    }
}
