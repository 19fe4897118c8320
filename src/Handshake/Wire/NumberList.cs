namespace KTls.Handshake.Wire;

/// <summary>A list of two-byte numbers with a two-byte length, not empty, that is a whole extension.</summary>
internal static class NumberList
{
    /// <exception cref="TlsAlertException">The extension is not such a list.</exception>
    public static void Check(ReadOnlySpan<byte> extension)
    {
        var reader = new WireReader(extension);
        if (reader.ReadVector16(minimum: 2).Length % 2 != 0)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A list of two-byte numbers of odd length.");
        }

        reader.ExpectEnd();
    }
}
