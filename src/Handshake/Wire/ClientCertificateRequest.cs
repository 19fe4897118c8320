using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>A server's wish for a client certificate: CertificateRequest (RFC 8446 §4.3.2; RFC 5246 §7.4.4).</summary>
public sealed class ClientCertificateRequest
{
    // ClientCertificateType (RFC 5246 §7.4.4, RFC 8422 §5.5)
    private const byte RsaSign = 1;
    private const byte EcdsaSign = 64;

    // What a block of extensions may hold, without the headers of both extensions and the schemes.
    private static readonly int MaxAuthoritiesLength = ushort.MaxValue - (2 * (2 * sizeof(ushort) + sizeof(ushort))) - (sizeof(ushort) * SignatureAlgorithm.ForHandshake12.Length);

    private readonly SignatureScheme[] _schemes;
    private readonly bool _isTls13;

    private ClientCertificateRequest(bool isTls13, SignatureScheme[] schemes, byte[][] authorities, bool takesRsa, bool takesEcdsa)
    {
        _isTls13 = isTls13;
        _schemes = schemes;
        CertificateAuthorities = authorities;
        TakesRsa = takesRsa;
        TakesEcdsa = takesEcdsa;
    }

    /// <summary>The signature schemes that the server accepts, in its order of preference.</summary>
    public IReadOnlyList<SignatureScheme> SignatureSchemes => _schemes;

    /// <summary>Distinguished names of acceptable issuers, DER each; empty: any.</summary>
    public IReadOnlyList<byte[]> CertificateAuthorities { get; }

    /// <summary>Whether the server can verify a credential's signature.</summary>
    /// <param name="credential">The credential.</param>
    /// <returns>True when it accepts one of the schemes of its key.</returns>
    public bool Accepts(CertificateCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return (credential.KeyKind == CertificateKeyKind.Rsa ? TakesRsa : TakesEcdsa)
            && Array.Exists(_isTls13 ? credential.Schemes : credential.Tls12Schemes, scheme => Array.IndexOf(_schemes, scheme) >= 0);
    }

    private bool TakesRsa { get; }

    private bool TakesEcdsa { get; }

    internal static ClientCertificateRequest Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        if (!reader.ReadVector8().IsEmpty)
        {
            throw new TlsAlertException(AlertDescription.IllegalParameter, "A CertificateRequest of a handshake has a context.");
        }

        SignatureScheme[]? schemes = null;
        byte[][] authorities = [];
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            switch (type)
            {
                case ExtensionType.SignatureAlgorithms:
                    schemes = ToSchemes(NumberList.Read(body));
                    break;
                case ExtensionType.SignatureAlgorithmsCert:
                    // For choosing among chains, of which a credential has one (RFC 8446 §4.4.2.3): the server judges that one.
                    NumberList.Read(body);
                    break;
                case ExtensionType.CertificateAuthorities:
                    var list = new WireReader(body);
                    authorities = ReadAuthorities(list.ReadVector16(minimum: 3));
                    list.ExpectEnd();
                    break;
                default:
                    // Unknown extensions are ignored (RFC 8446 §4.3.2).
                    break;
            }
        }

        return schemes is not null
            ? new ClientCertificateRequest(isTls13: true, schemes, authorities, takesRsa: true, takesEcdsa: true)
            : throw new TlsAlertException(AlertDescription.MissingExtension, "A CertificateRequest without signature_algorithms.");
    }

    internal static ClientCertificateRequest Read12(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        ReadOnlySpan<byte> types = reader.ReadVector8(minimum: 1);
        SignatureScheme[] schemes = ToSchemes(NumberList.Whole(reader.ReadVector16(minimum: 2)));
        byte[][] authorities = ReadAuthorities(reader.ReadVector16());
        reader.ExpectEnd();
        return new ClientCertificateRequest(isTls13: false, schemes, authorities, types.Contains(RsaSign), types.Contains(EcdsaSign));
    }

    internal static void Write(WireWriter writer, ReadOnlySpan<SignatureScheme> schemes, IReadOnlyList<byte[]> authorities)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.CertificateRequest);
        writer.WriteUInt8(0);
        WireWriter.Vector extensions = writer.Begin(2);
        WireWriter.Vector algorithms = writer.BeginExtension(ExtensionType.SignatureAlgorithms);
        WriteSchemes(writer, schemes);
        writer.End(algorithms);
        if (authorities.Count != 0)
        {
            WireWriter.Vector extension = writer.BeginExtension(ExtensionType.CertificateAuthorities);
            WriteAuthorities(writer, authorities);
            writer.End(extension);
        }

        writer.End(extensions);
        writer.End(message);
    }

    internal static void Write12(WireWriter writer, ReadOnlySpan<SignatureScheme> schemes, IReadOnlyList<byte[]> authorities)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.CertificateRequest);
        writer.WriteVector8([RsaSign, EcdsaSign]);
        WriteSchemes(writer, schemes);
        WriteAuthorities(writer, authorities);
        writer.End(message);
    }

    private static void WriteSchemes(WireWriter writer, ReadOnlySpan<SignatureScheme> schemes)
    {
        WireWriter.Vector list = writer.Begin(2);
        foreach (SignatureScheme scheme in schemes)
        {
            writer.WriteUInt16((ushort)scheme);
        }

        writer.End(list);
    }

    private static void WriteAuthorities(WireWriter writer, IReadOnlyList<byte[]> authorities)
    {
        WireWriter.Vector list = writer.Begin(2);
        foreach (byte[] name in authorities)
        {
            writer.WriteVector16(name);
        }

        writer.End(list);
    }

    private static SignatureScheme[] ToSchemes(ReadOnlySpan<byte> numbers)
    {
        var schemes = new SignatureScheme[numbers.Length / 2];
        var reader = new WireReader(numbers);
        for (int i = 0; i < schemes.Length; i++)
        {
            schemes[i] = (SignatureScheme)reader.ReadUInt16();
        }

        return schemes;
    }

    // Known when the options are made, rather than in the middle of a handshake. The list shares its room with signature_algorithms.
    internal static IReadOnlyList<byte[]> CheckedAuthorities(IReadOnlyList<byte[]> authorities)
    {
        ArgumentNullException.ThrowIfNull(authorities);
        long length = 0;
        foreach (byte[] name in authorities)
        {
            if (name is not { Length: > 0 })
            {
                throw new ArgumentException("The distinguished name of an authority is empty (RFC 8446 §4.2.4).", nameof(authorities));
            }

            length += sizeof(ushort) + name.Length;
        }

        return length <= MaxAuthoritiesLength
            ? [.. authorities]
            : throw new ArgumentException($"The names of the authorities take {length} bytes; a CertificateRequest has room for {MaxAuthoritiesLength}.", nameof(authorities));
    }

    private static byte[][] ReadAuthorities(ReadOnlySpan<byte> list)
    {
        var names = new List<byte[]>();
        var reader = new WireReader(list);
        while (!reader.IsEmpty)
        {
            names.Add(reader.ReadVector16(minimum: 1).ToArray());
        }

        return [.. names];
    }
}
