namespace KTls.Handshake.Wire;

/// <summary>NewSessionTicket (RFC 8446 §4.6.1).</summary>
internal static class NewSessionTicket
{
    /// <summary>Checks the message's form.</summary>
    /// <exception cref="TlsAlertException">The message is malformed.</exception>
    public static void Check(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        reader.ReadUInt32();
        reader.ReadUInt32();
        reader.ReadVector8();
        reader.ReadVector16(minimum: 1);
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out _, out _))
        {
            // Unknown extensions are ignored, and so is early_data: none is ever sent.
        }
    }
}
