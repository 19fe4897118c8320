using System.Net.Security;

namespace KTls.Handshake.Wire;

/// <summary>EncryptedExtensions (RFC 8446 §4.3.1).</summary>
internal readonly ref struct EncryptedExtensions
{
    /// <summary>The one protocol that the server chose; empty when it chose none.</summary>
    public ReadOnlySpan<byte> Protocol { get; private init; }

    /// <summary>The most bytes of content that the server takes in a record (RFC 8449); null when it does not say.</summary>
    public ushort? RecordSizeLimit { get; private init; }

    public static EncryptedExtensions Read(ReadOnlySpan<byte> message, bool isServerNameSent, bool isRecordSizeLimitSent)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        ReadOnlySpan<byte> protocol = default;
        ushort? recordSizeLimit = null;
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            switch (type)
            {
                case ExtensionType.ApplicationLayerProtocolNegotiation:
                    protocol = ProtocolNameList.ReadOne(body);
                    break;
                case ExtensionType.ServerName when isServerNameSent:
                    // RFC 6066 §3: an empty extension says that the name was used.
                    new WireReader(body).ExpectEnd();
                    break;
                case ExtensionType.RecordSizeLimit when isRecordSizeLimitSent:
                    recordSizeLimit = Wire.RecordSizeLimit.Read(body);
                    break;
                case ExtensionType.SupportedGroups:
                    // It says what the server would like next time (RFC 8446 §4.2.7).
                    NumberList.Read(body);
                    break;
                case ExtensionType.KeyShare or ExtensionType.SupportedVersions or ExtensionType.SignatureAlgorithms or ExtensionType.SignatureAlgorithmsCert
                    or ExtensionType.Cookie or ExtensionType.PreSharedKey or ExtensionType.PskKeyExchangeModes or ExtensionType.CertificateAuthorities:
                    throw new TlsAlertException(AlertDescription.IllegalParameter, $"{type} does not belong in EncryptedExtensions (RFC 8446 §4.2).");
                default:
                    throw new TlsAlertException(AlertDescription.UnsupportedExtension, $"Extension {(ushort)type} in EncryptedExtensions was not offered, or does not belong there.");
            }
        }

        return new EncryptedExtensions { Protocol = protocol, RecordSizeLimit = recordSizeLimit };
    }

    public static void Write(WireWriter writer, bool acknowledgeServerName, SslApplicationProtocol protocol, ushort? recordSizeLimit)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.EncryptedExtensions);
        WireWriter.Vector extensions = writer.Begin(2);
        if (acknowledgeServerName)
        {
            // RFC 6066 §3: an empty extension says that the name was used.
            writer.End(writer.BeginExtension(ExtensionType.ServerName));
        }

        if (!protocol.Protocol.IsEmpty)
        {
            ProtocolNameList.Write(writer, [protocol]);
        }

        if (recordSizeLimit is { } limit)
        {
            Wire.RecordSizeLimit.Write(writer, limit);
        }

        writer.End(extensions);
        writer.End(message);
    }
}
