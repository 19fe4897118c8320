namespace KTls.Handshake.Wire;

/// <summary>Lists of two-byte numbers: cipher suites, groups, signature schemes, versions.</summary>
internal static class NumberList
{
    /// <summary>A list with a two-byte length, not empty, that is a whole extension.</summary>
    /// <exception cref="TlsAlertException">The extension is not such a list.</exception>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> extension)
    {
        var reader = new WireReader(extension);
        ReadOnlySpan<byte> numbers = Whole(reader.ReadVector16(minimum: 2));
        reader.ExpectEnd();
        return numbers;
    }

    /// <summary>Says that there is no half number.</summary>
    /// <exception cref="TlsAlertException">There is.</exception>
    public static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> numbers) =>
        numbers.Length % 2 == 0 ? numbers : throw new TlsAlertException(AlertDescription.DecodeError, "A list of two-byte numbers of odd length.");
}
