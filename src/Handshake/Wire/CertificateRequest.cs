namespace KTls.Handshake.Wire;

/// <summary>CertificateRequest (RFC 8446 §4.3.2).</summary>
internal static class CertificateRequest
{
    /// <summary>Checks the message's form; returns the context, which the answer repeats.</summary>
    public static byte[] ReadContext(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        byte[] context = reader.ReadVector8().ToArray();
        if (context.Length != 0)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A CertificateRequest of a handshake has a context.");
        }

        bool hasSchemes = false;
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            if (type == ExtensionType.SignatureAlgorithms)
            {
                NumberList.Read(body);
                hasSchemes = true;
            }
        }

        return hasSchemes
            ? context
            : throw new TlsAlertException(AlertDescription.MissingExtension, "A CertificateRequest without signature_algorithms.");
    }
}
