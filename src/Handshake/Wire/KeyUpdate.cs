namespace KTls.Handshake.Wire;

/// <summary>KeyUpdate (RFC 8446 §4.6.3).</summary>
internal static class KeyUpdate
{
    private const byte NotRequested = 0;
    private const byte Requested = 1;

    /// <summary>Whether the peer requests an update of our keys, too.</summary>
    public static bool ReadUpdateRequested(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        byte request = reader.ReadUInt8();
        reader.ExpectEnd();
        return request switch
        {
            NotRequested => false,
            Requested => true,
            _ => throw new TlsAlertException(AlertDescription.IllegalParameter, $"KeyUpdate with the value {request}."),
        };
    }

    /// <summary>A KeyUpdate message.</summary>
    public static byte[] Create(bool requestUpdate) => [(byte)HandshakeType.KeyUpdate, 0, 0, 1, requestUpdate ? Requested : NotRequested];
}
