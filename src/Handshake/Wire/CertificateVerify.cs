namespace KTls.Handshake.Wire;

/// <summary>CertificateVerify and the content that it signs (RFC 8446 §4.4.3).</summary>
internal readonly ref struct CertificateVerify
{
    private const int PadLength = 64;

    private static ReadOnlySpan<byte> ServerContext => "TLS 1.3, server CertificateVerify\0"u8;

    /// <summary>The most bytes of the signed content.</summary>
    public const int MaxContentLength = PadLength + 34 + Crypto.CipherSuite.MaxHashLength;

    public SignatureScheme Scheme { get; private init; }

    public ReadOnlySpan<byte> Signature { get; private init; }

    public static CertificateVerify Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        var verify = new CertificateVerify
        {
            Scheme = (SignatureScheme)reader.ReadUInt16(),
            Signature = reader.ReadVector16(),
        };
        reader.ExpectEnd();
        return verify;
    }

    public static void Write(WireWriter writer, SignatureScheme scheme, ReadOnlySpan<byte> signature)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.CertificateVerify);
        writer.WriteUInt16((ushort)scheme);
        writer.WriteVector16(signature);
        writer.End(message);
    }

    /// <summary>Writes what a server signs.</summary>
    /// <param name="transcriptHash">The hash up to the Certificate message.</param>
    /// <param name="destination">At least <see cref="MaxContentLength"/> bytes.</param>
    /// <returns>The filled part.</returns>
    public static ReadOnlySpan<byte> ServerContent(ReadOnlySpan<byte> transcriptHash, Span<byte> destination)
    {
        destination[..PadLength].Fill(0x20);
        ServerContext.CopyTo(destination[PadLength..]);
        transcriptHash.CopyTo(destination[(PadLength + ServerContext.Length)..]);
        return destination[..(PadLength + ServerContext.Length + transcriptHash.Length)];
    }
}
