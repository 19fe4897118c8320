namespace KTls.Handshake.Wire;

/// <summary>record_size_limit (RFC 8449): the most bytes that an end takes in a record.</summary>
internal static class RecordSizeLimit
{
    /// <summary>Smaller limits are an error (RFC 8449 §4).</summary>
    public const int Minimum = 64;

    /// <summary>A limit of our own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of bounds.</exception>
    public static int? Checked(int? value)
    {
        if (value is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, Minimum, nameof(value));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, RecordHeader.MaxPlaintext, nameof(value));
        }

        return value;
    }

    /// <summary>What we tell the peer: TLS 1.3 counts the content's type with it (RFC 8449 §4).</summary>
    public static ushort ToWire(int limit, bool isTls13) => (ushort)(limit + (isTls13 ? 1 : 0));

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
    public static int ContentLimit(ushort peerLimit, bool isTls13) => Math.Min(peerLimit - (isTls13 ? 1 : 0), RecordHeader.MaxPlaintext);
}
