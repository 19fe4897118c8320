namespace KTls.Handshake.Wire;

/// <summary>record_size_limit (RFC 8449): the most bytes that an end takes in a record.</summary>
internal static class RecordSizeLimit
{
    /// <summary>Smaller limits are an error (RFC 8449 §4).</summary>
    public const int Minimum = 64;

    public static ushort Read(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        ushort limit = reader.ReadUInt16();
        reader.ExpectEnd();
        return limit >= Minimum
            ? limit
            : throw new TlsAlertException(AlertDescription.IllegalParameter, $"A record size limit under {Minimum} (RFC 8449 §4).");
    }

    public static void Write(WireWriter writer, ushort limit)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.RecordSizeLimit);
        writer.WriteUInt16(limit);
        writer.End(extension);
    }

    /// <summary>
    /// The most bytes of content for records to a peer with a limit: TLS 1.3 counts the content's type and padding with it, and
    /// nobody may send more than the protocol's limit (RFC 8449 §4).
    /// </summary>
    public static int ContentLimit(ushort? peerLimit, bool isTls13) =>
        peerLimit is { } limit ? Math.Min(limit - (isTls13 ? 1 : 0), RecordHeader.MaxPlaintext) : RecordHeader.MaxPlaintext;
}
