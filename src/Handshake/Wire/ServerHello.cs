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

    /// <summary>The last bytes of the random of a server that could do TLS 1.3 but speaks TLS 1.2 (RFC 8446 §4.1.3).</summary>
    public static ReadOnlySpan<byte> DowngradeToTls12 => "DOWNGRD\u0001"u8;

    /// <summary>The last bytes of the random of a server that could do better but speaks TLS 1.1 or older.</summary>
    public static ReadOnlySpan<byte> DowngradeToTls11 => "DOWNGRD\0"u8;

    public ushort LegacyVersion { get; private init; }

    public ReadOnlySpan<byte> Random { get; private init; }

    public ReadOnlySpan<byte> SessionIdEcho { get; private init; }

    public TlsCipherSuite CipherSuite { get; private init; }

    public byte CompressionMethod { get; private init; }

    public bool IsHelloRetryRequest { get; private init; }

    public ServerHelloExtensions Extensions { get; private init; }

    /// <exception cref="TlsAlertException">The message is malformed, or has an extension that no ServerHello has.</exception>
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
        return new ServerHello
        {
            LegacyVersion = legacyVersion,
            Random = random,
            SessionIdEcho = sessionId,
            CipherSuite = suite,
            CompressionMethod = compression,
            IsHelloRetryRequest = isRetry,

            // TLS 1.2 may leave the whole block out (RFC 5246 §7.4.1.3).
            Extensions = reader.IsEmpty ? default : ServerHelloExtensions.Read(ref reader, isRetry),
        };
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, TlsCipherSuite suite, NamedGroup group, ReadOnlySpan<byte> keyExchange, ushort? selectedIdentity)
    {
        WireWriter.Vector message = WriteStart(writer, random, sessionId, suite, out WireWriter.Vector extensions);
        WireWriter.Vector keyShare = writer.BeginExtension(ExtensionType.KeyShare);
        KeyShareEntry.Write(writer, group, keyExchange);
        writer.End(keyShare);
        if (selectedIdentity is { } identity)
        {
            WireWriter.Vector preSharedKey = writer.BeginExtension(ExtensionType.PreSharedKey);
            writer.WriteUInt16(identity);
            writer.End(preSharedKey);
        }

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
        WireWriter.Vector message = BeginWrite(writer, random, sessionId, suite);
        extensions = writer.Begin(2);
        WireWriter.Vector versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteUInt16(ProtocolVersion.Tls13);
        writer.End(versions);
        return message;
    }

    /// <summary>Writes all before the extensions, which is the same in both versions.</summary>
    public static WireWriter.Vector BeginWrite(WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, TlsCipherSuite suite)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ServerHello);
        writer.WriteUInt16(ProtocolVersion.Tls12);
        writer.WriteBytes(random);
        writer.WriteVector8(sessionId);
        writer.WriteUInt16((ushort)suite);
        writer.WriteUInt8(0);
        return message;
    }
}
