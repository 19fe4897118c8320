using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Wire;

/// <summary>CertificateVerify and the content that it signs (RFC 8446 §4.4.3).</summary>
internal readonly ref struct CertificateVerify
{
    private const int PadLength = 64;

    private static ReadOnlySpan<byte> ClientContext => "TLS 1.3, client CertificateVerify\0"u8;

    private static ReadOnlySpan<byte> ServerContext => "TLS 1.3, server CertificateVerify\0"u8;

    /// <summary>The most bytes of the signed content.</summary>
    public const int MaxContentLength = PadLength + 34 + CipherSuite.MaxHashLength;

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

    /// <summary>Writes what an end signs.</summary>
    /// <param name="isServer">Whether the server signs.</param>
    /// <param name="transcriptHash">The hash up to the Certificate message.</param>
    /// <param name="destination">At least <see cref="MaxContentLength"/> bytes.</param>
    /// <returns>The filled part.</returns>
    public static ReadOnlySpan<byte> Content(bool isServer, ReadOnlySpan<byte> transcriptHash, Span<byte> destination)
    {
        ReadOnlySpan<byte> context = isServer ? ServerContext : ClientContext;
        destination[..PadLength].Fill(0x20);
        context.CopyTo(destination[PadLength..]);
        transcriptHash.CopyTo(destination[(PadLength + context.Length)..]);
        return destination[..(PadLength + context.Length + transcriptHash.Length)];
    }

    /// <summary>Checks the message of an end.</summary>
    /// <param name="isServer">Whether the server signs.</param>
    /// <param name="certificate">The signer's certificate.</param>
    /// <param name="transcript">All messages up to Certificate.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="TlsAlertException">It proves nothing.</exception>
    public static void Verify(bool isServer, X509Certificate2 certificate, Transcript transcript, ReadOnlySpan<byte> message)
    {
        CertificateVerify verify = Read(message);
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> buffer = stackalloc byte[MaxContentLength];
        ReadOnlySpan<byte> content = Content(isServer, transcript.Current(hash), buffer);
        SignatureAlgorithm.Verify(certificate, isTls13: true, verify.Scheme, content, verify.Signature, nameof(CertificateVerify));
    }
}
