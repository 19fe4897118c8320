namespace KTls.Handshake.Wire;

/// <summary>ServerKeyExchange with an ephemeral share on a named curve (RFC 8422 §5.4).</summary>
internal readonly ref struct ServerKeyExchange
{
    private const byte NamedCurve = 3;

    public NamedGroup Group { get; private init; }

    public ReadOnlySpan<byte> Share { get; private init; }

    /// <summary>ServerECDHParams: the part that is signed, after both randoms.</summary>
    public ReadOnlySpan<byte> Parameters { get; private init; }

    public SignatureScheme Scheme { get; private init; }

    public ReadOnlySpan<byte> Signature { get; private init; }

    public static ServerKeyExchange Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        if (reader.ReadUInt8() != NamedCurve)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A ServerKeyExchange without a named curve (RFC 8422 §5.4).");
        }

        var group = (NamedGroup)reader.ReadUInt16();
        ReadOnlySpan<byte> share = reader.ReadVector8(minimum: 1);
        int end = reader.Position;
        var exchange = new ServerKeyExchange
        {
            Group = group,
            Share = share,
            Parameters = message[4..end],
            Scheme = (SignatureScheme)reader.ReadUInt16(),
            Signature = reader.ReadVector16(),
        };
        reader.ExpectEnd();
        return exchange;
    }

    public static void WriteParameters(WireWriter writer, NamedGroup group, ReadOnlySpan<byte> share)
    {
        writer.WriteUInt8(NamedCurve);
        writer.WriteUInt16((ushort)group);
        writer.WriteVector8(share);
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte> parameters, SignatureScheme scheme, ReadOnlySpan<byte> signature)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ServerKeyExchange);
        writer.WriteBytes(parameters);
        writer.WriteUInt16((ushort)scheme);
        writer.WriteVector16(signature);
        writer.End(message);
    }
}
