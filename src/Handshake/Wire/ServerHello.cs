using System.Net.Security;

namespace KTls.Handshake.Wire;

/// <summary>ServerHello and HelloRetryRequest, which have one form (RFC 8446 §4.1.3, §4.1.4).</summary>
internal readonly ref struct ServerHello
{
    // SHA-256 of "HelloRetryRequest"
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    public ushort LegacyVersion { get; private init; }

    public ReadOnlySpan<byte> Random { get; private init; }

    public ReadOnlySpan<byte> SessionIdEcho { get; private init; }

    public TlsCipherSuite CipherSuite { get; private init; }

    public byte CompressionMethod { get; private init; }

    /// <summary>The version of supported_versions; 0 when that extension is not there.</summary>
    public ushort SelectedVersion { get; private init; }

    /// <summary>The group of key_share; 0 when that extension is not there.</summary>
    public NamedGroup Group { get; private init; }

    /// <summary>The server's share; empty in a HelloRetryRequest.</summary>
    public ReadOnlySpan<byte> KeyExchange { get; private init; }

    /// <summary>The cookie of a HelloRetryRequest; empty when there is none.</summary>
    public ReadOnlySpan<byte> Cookie { get; private init; }

    public bool IsHelloRetryRequest { get; private init; }

    /// <exception cref="TlsAlertException">The message is malformed, or has an extension that we did not offer.</exception>
    public static ServerHello Read(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        reader.ReadBytes(4);
        ushort legacyVersion = reader.ReadUInt16();
        ReadOnlySpan<byte> random = reader.ReadBytes(RetryRandom.Length);
        ReadOnlySpan<byte> sessionId = reader.ReadVector8();
        var suite = (TlsCipherSuite)reader.ReadUInt16();
        byte compression = reader.ReadUInt8();
        bool isRetry = random.SequenceEqual(RetryRandom);

        ushort version = 0;
        NamedGroup group = 0;
        ReadOnlySpan<byte> keyExchange = default;
        ReadOnlySpan<byte> cookie = default;
        if (!reader.IsEmpty)
        {
            var block = new ExtensionBlock(ref reader);
            while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
            {
                var extension = new WireReader(body);
                switch (type)
                {
                    case ExtensionType.SupportedVersions:
                        version = extension.ReadUInt16();
                        break;
                    case ExtensionType.KeyShare when isRetry:
                        group = (NamedGroup)extension.ReadUInt16();
                        break;
                    case ExtensionType.KeyShare:
                        KeyShareEntry entry = KeyShareEntry.Read(ref extension);
                        group = entry.Group;
                        keyExchange = entry.KeyExchange;
                        break;
                    case ExtensionType.Cookie when isRetry:
                        cookie = extension.ReadVector16(minimum: 1);
                        break;
                    default:
                        throw new TlsAlertException(AlertDescription.UnsupportedExtension, $"Extension {(ushort)type} in ServerHello was not offered, or does not belong there.");
                }

                extension.ExpectEnd();
            }
        }

        return new ServerHello
        {
            LegacyVersion = legacyVersion,
            Random = random,
            SessionIdEcho = sessionId,
            CipherSuite = suite,
            CompressionMethod = compression,
            SelectedVersion = version,
            Group = group,
            KeyExchange = keyExchange,
            Cookie = cookie,
            IsHelloRetryRequest = isRetry,
        };
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, TlsCipherSuite suite, NamedGroup group, ReadOnlySpan<byte> keyExchange)
    {
        WireWriter.Vector message = WriteStart(writer, random, sessionId, suite, out WireWriter.Vector extensions);
        WireWriter.Vector keyShare = writer.BeginExtension(ExtensionType.KeyShare);
        KeyShareEntry.Write(writer, group, keyExchange);
        writer.End(keyShare);
        writer.End(extensions);
        writer.End(message);
    }

    public static void WriteHelloRetryRequest(WireWriter writer, ReadOnlySpan<byte> sessionId, TlsCipherSuite suite, NamedGroup group)
    {
        WireWriter.Vector message = WriteStart(writer, RetryRandom, sessionId, suite, out WireWriter.Vector extensions);
        WireWriter.Vector keyShare = writer.BeginExtension(ExtensionType.KeyShare);
        writer.WriteUInt16((ushort)group);
        writer.End(keyShare);
        writer.End(extensions);
        writer.End(message);
    }

    private static WireWriter.Vector WriteStart(WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, TlsCipherSuite suite, out WireWriter.Vector extensions)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ServerHello);
        writer.WriteUInt16(ProtocolVersion.Tls12);
        writer.WriteBytes(random);
        writer.WriteVector8(sessionId);
        writer.WriteUInt16((ushort)suite);
        writer.WriteUInt8(0);
        extensions = writer.Begin(2);
        WireWriter.Vector versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteUInt16(ProtocolVersion.Tls13);
        writer.End(versions);
        return message;
    }
}
