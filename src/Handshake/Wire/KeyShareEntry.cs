namespace KTls.Handshake.Wire;

/// <summary>KeyShareEntry (RFC 8446 §4.2.8).</summary>
internal readonly ref struct KeyShareEntry
{
    private KeyShareEntry(NamedGroup group, ReadOnlySpan<byte> keyExchange)
    {
        Group = group;
        KeyExchange = keyExchange;
    }

    public NamedGroup Group { get; }

    public ReadOnlySpan<byte> KeyExchange { get; }

    public static KeyShareEntry Read(scoped ref WireReader reader)
    {
        var group = (NamedGroup)reader.ReadUInt16();
        return new KeyShareEntry(group, reader.ReadVector16(minimum: 1));
    }

    public static void Write(WireWriter writer, NamedGroup group, ReadOnlySpan<byte> keyExchange)
    {
        writer.WriteUInt16((ushort)group);
        writer.WriteVector16(keyExchange);
    }
}
