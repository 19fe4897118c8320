namespace KTls.Handshake.Wire;

/// <summary>NewSessionTicket, as TLS 1.3 (RFC 8446 §4.6.1) and TLS 1.2 (RFC 5077 §3.3) have it.</summary>
internal readonly ref struct NewSessionTicket
{
    /// <summary>No ticket lives longer (RFC 8446 §4.6.1), seven days in seconds.</summary>
    public const uint MaxLifetime = 604800;

    /// <summary>Seconds; 0 says in TLS 1.3 that the ticket is to be thrown away, in TLS 1.2 nothing.</summary>
    public uint Lifetime { get; private init; }

    public uint AgeAdd { get; private init; }

    public ReadOnlySpan<byte> Nonce { get; private init; }

    public ReadOnlySpan<byte> Ticket { get; private init; }

    /// <exception cref="TlsAlertException">The message is malformed.</exception>
    public static NewSessionTicket Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        var ticket = new NewSessionTicket
        {
            Lifetime = reader.ReadUInt32(),
            AgeAdd = reader.ReadUInt32(),
            Nonce = reader.ReadVector8(),
            Ticket = reader.ReadVector16(minimum: 1),
        };
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out _, out _))
        {
            // Unknown extensions are ignored, and so is early_data: none is ever sent.
        }

        return ticket;
    }

    /// <exception cref="TlsAlertException">The message is malformed.</exception>
    public static NewSessionTicket Read12(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        var ticket = new NewSessionTicket { Lifetime = reader.ReadUInt32(), Ticket = reader.ReadVector16() };
        reader.ExpectEnd();
        return ticket;
    }

    public static void Write(WireWriter writer, uint lifetime, uint ageAdd, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ticket)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.NewSessionTicket);
        writer.WriteUInt32(lifetime);
        writer.WriteUInt32(ageAdd);
        writer.WriteVector8(nonce);
        writer.WriteVector16(ticket);
        writer.WriteUInt16(0);
        writer.End(message);
    }

    public static void Write12(WireWriter writer, uint lifetime, ReadOnlySpan<byte> ticket)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.NewSessionTicket);
        writer.WriteUInt32(lifetime);
        writer.WriteVector16(ticket);
        writer.End(message);
    }
}
