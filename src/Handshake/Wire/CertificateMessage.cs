namespace KTls.Handshake.Wire;

/// <summary>Certificate, as TLS 1.3 (RFC 8446 §4.4.2) and TLS 1.2 (RFC 5246 §7.4.2) have it.</summary>
internal static class CertificateMessage
{
    private const byte Ocsp = 1;

    /// <summary>Reads the message of TLS 1.3: the end-entity certificate first, DER each; empty when there is none.</summary>
    /// <param name="message">The message.</param>
    /// <param name="maxChainLength">The most certificates.</param>
    /// <param name="isStatusRequested">Whether the peer may send an OCSP response.</param>
    /// <param name="ocspResponse">The OCSP response for the first certificate, DER; empty when there is none.</param>
    public static byte[][] Read(ReadOnlySpan<byte> message, int maxChainLength, bool isStatusRequested, out byte[] ocspResponse)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        if (!reader.ReadVector8().IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A Certificate message of a handshake has a request context.");
        }

        var list = new WireReader(reader.ReadVector24());
        reader.ExpectEnd();
        ocspResponse = [];
        var chain = new List<byte[]>(capacity: 3);
        while (!list.IsEmpty)
        {
            chain.Add(ReadCertificate(ref list, chain.Count, maxChainLength));
            ReadOnlySpan<byte> status = ReadExtensions(ref list, isStatusRequested);
            if (chain.Count == 1)
            {
                ocspResponse = status.ToArray();
            }
        }

        return [.. chain];
    }

    /// <summary>Reads the message of TLS 1.2.</summary>
    public static byte[][] Read12(ReadOnlySpan<byte> message, int maxChainLength)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        var list = new WireReader(reader.ReadVector24());
        reader.ExpectEnd();
        var chain = new List<byte[]>(capacity: 3);
        while (!list.IsEmpty)
        {
            chain.Add(ReadCertificate(ref list, chain.Count, maxChainLength));
        }

        return [.. chain];
    }

    /// <summary>Writes the message of TLS 1.3.</summary>
    /// <param name="writer">The destination.</param>
    /// <param name="requestContext">The context of the CertificateRequest that this answers; empty for a server.</param>
    /// <param name="chain">The certificates; none: the client has none to show.</param>
    /// <param name="ocspResponse">The OCSP response for the first certificate, DER; empty: none is sent.</param>
    public static void Write(WireWriter writer, ReadOnlySpan<byte> requestContext, ReadOnlySpan<byte[]> chain, ReadOnlySpan<byte> ocspResponse)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteVector8(requestContext);
        WireWriter.Vector list = writer.Begin(3);
        foreach (byte[] certificate in chain)
        {
            writer.WriteUInt24(certificate.Length);
            writer.WriteBytes(certificate);
            WireWriter.Vector extensions = writer.Begin(2);
            if (!ocspResponse.IsEmpty)
            {
                WireWriter.Vector status = writer.BeginExtension(ExtensionType.StatusRequest);
                WriteStatus(writer, ocspResponse);
                writer.End(status);
                ocspResponse = default;
            }

            writer.End(extensions);
        }

        writer.End(list);
        writer.End(message);
    }

    /// <summary>Writes the message of TLS 1.2.</summary>
    public static void Write12(WireWriter writer, ReadOnlySpan<byte[]> chain)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.Certificate);
        WireWriter.Vector list = writer.Begin(3);
        foreach (byte[] certificate in chain)
        {
            writer.WriteUInt24(certificate.Length);
            writer.WriteBytes(certificate);
        }

        writer.End(list);
        writer.End(message);
    }

    /// <summary>Writes the CertificateStatus of TLS 1.2 (RFC 6066 §8).</summary>
    public static void WriteStatus12(WireWriter writer, ReadOnlySpan<byte> ocspResponse)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.CertificateStatus);
        WriteStatus(writer, ocspResponse);
        writer.End(message);
    }

    /// <summary>Reads the CertificateStatus of TLS 1.2: the OCSP response, DER.</summary>
    public static byte[] ReadStatus12(ReadOnlySpan<byte> message) => ReadStatus(message[4..]).ToArray();

    private static byte[] ReadCertificate(ref WireReader list, int count, int maxChainLength) =>
        count < maxChainLength
            ? PeerCertificateCache.Encoded(list.ReadVector24(minimum: 1))
            : throw new TlsAlertException(AlertDescription.BadCertificate, $"A chain of more than {maxChainLength} certificates.");

    // Only what was asked for may stand beside a certificate (RFC 8446 §4.4.2).
    private static ReadOnlySpan<byte> ReadExtensions(ref WireReader list, bool isStatusRequested)
    {
        ReadOnlySpan<byte> status = default;
        var block = new ExtensionBlock(list.ReadVector16());
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            if (type != ExtensionType.StatusRequest || !isStatusRequested)
            {
                throw new TlsAlertException(AlertDescription.UnsupportedExtension, $"A certificate comes with the extension {(ushort)type}, which was not offered.");
            }

            status = ReadStatus(body);
        }

        return status;
    }

    private static ReadOnlySpan<byte> ReadStatus(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (reader.ReadUInt8() != Ocsp)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A certificate status that is not OCSP (RFC 6066 §8).");
        }

        ReadOnlySpan<byte> response = reader.ReadVector24(minimum: 1);
        reader.ExpectEnd();
        return response;
    }

    private static void WriteStatus(WireWriter writer, ReadOnlySpan<byte> ocspResponse)
    {
        writer.WriteUInt8(Ocsp);
        writer.WriteUInt24(ocspResponse.Length);
        writer.WriteBytes(ocspResponse);
    }
}
