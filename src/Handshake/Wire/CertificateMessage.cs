namespace KTls.Handshake.Wire;

/// <summary>Certificate (RFC 8446 §4.4.2).</summary>
internal static class CertificateMessage
{
    /// <summary>More certificates than any sensible chain has.</summary>
    public const int MaxChainLength = 16;

    /// <summary>Reads a server's Certificate message: the end-entity certificate first, DER each.</summary>
    public static byte[][] Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        if (!reader.ReadVector8().IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A Certificate message of a handshake has a request context.");
        }

        var list = new WireReader(reader.ReadVector24());
        reader.ExpectEnd();
        var chain = new List<byte[]>(capacity: 3);
        while (!list.IsEmpty)
        {
            if (chain.Count == MaxChainLength)
            {
                throw new TlsAlertException(AlertDescription.BadCertificate, $"A chain of more than {MaxChainLength} certificates.");
            }

            chain.Add(list.ReadVector24(minimum: 1).ToArray());

            // No extension of a certificate was asked for (RFC 8446 §4.4.2).
            if (!list.ReadVector16().IsEmpty)
            {
                throw new TlsAlertException(AlertDescription.UnsupportedExtension, "A certificate comes with an extension that was not offered.");
            }
        }

        return chain.Count != 0
            ? [.. chain]
            : throw new TlsAlertException(AlertDescription.DecodeError, "The server sent no certificate (RFC 8446 §4.4.2.4).");
    }

    /// <summary>Writes a client's answer to a CertificateRequest that it has no certificate for.</summary>
    public static void WriteEmpty(WireWriter writer, ReadOnlySpan<byte> requestContext)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteVector8(requestContext);
        writer.WriteUInt24(0);
        writer.End(message);
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte[]> chain)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteUInt8(0);
        WireWriter.Vector list = writer.Begin(3);
        foreach (byte[] certificate in chain)
        {
            writer.WriteUInt24(certificate.Length);
            writer.WriteBytes(certificate);
            writer.WriteUInt16(0);
        }

        writer.End(list);
        writer.End(message);
    }
}
