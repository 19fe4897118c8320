using System.Net.Security;
using System.Text;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Wire;

/// <summary>Writes a client's ClientHello (RFC 8446 §4.1.2).</summary>
internal static class ClientHelloWriter
{
    public static void Write(WireWriter writer, ClientHandshakeOptions options, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, KeyExchange exchange, ReadOnlySpan<byte> cookie)
    {
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ClientHello);
        writer.WriteUInt16(ProtocolVersion.Tls12);
        writer.WriteBytes(random);
        writer.WriteVector8(sessionId);
        WriteSuites(writer, options.CipherSuites);
        writer.WriteVector8([0]);

        WireWriter.Vector extensions = writer.Begin(2);
        WriteServerName(writer, options.ServerName);
        WriteGroups(writer, options.Groups);
        WriteSignatureSchemes(writer);
        if (options.ApplicationProtocols.Count != 0)
        {
            ProtocolNameList.Write(writer, [.. options.ApplicationProtocols]);
        }

        WireWriter.Vector versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteUInt8(2);
        writer.WriteUInt16(ProtocolVersion.Tls13);
        writer.End(versions);
        WriteKeyShare(writer, options.Groups, exchange);
        if (!cookie.IsEmpty)
        {
            WireWriter.Vector extension = writer.BeginExtension(ExtensionType.Cookie);
            writer.WriteVector16(cookie);
            writer.End(extension);
        }

        writer.End(extensions);
        writer.End(message);
    }

    private static void WriteSuites(WireWriter writer, IReadOnlyList<TlsCipherSuite> suites)
    {
        WireWriter.Vector list = writer.Begin(2);
        foreach (TlsCipherSuite suite in suites)
        {
            if (CipherSuite.Find(suite) is not null)
            {
                writer.WriteUInt16((ushort)suite);
            }
        }

        writer.End(list);
    }

    private static void WriteServerName(WireWriter writer, string name)
    {
        if (name.Length == 0)
        {
            return;
        }

        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.ServerName);
        WireWriter.Vector list = writer.Begin(2);
        writer.WriteUInt8(0);
        writer.WriteVector16(Encoding.ASCII.GetBytes(name));
        writer.End(list);
        writer.End(extension);
    }

    private static void WriteGroups(WireWriter writer, IReadOnlyList<NamedGroup> groups)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.SupportedGroups);
        WireWriter.Vector list = writer.Begin(2);
        foreach (NamedGroup group in groups)
        {
            if (KeyExchange.IsSupported(group))
            {
                writer.WriteUInt16((ushort)group);
            }
        }

        writer.End(list);
        writer.End(extension);
    }

    private static void WriteSignatureSchemes(WireWriter writer)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.SignatureAlgorithms);
        WireWriter.Vector list = writer.Begin(2);
        foreach (SignatureScheme scheme in SignatureAlgorithm.ForHandshake13)
        {
            writer.WriteUInt16((ushort)scheme);
        }

        foreach (SignatureScheme scheme in SignatureAlgorithm.ForCertificatesOnly)
        {
            writer.WriteUInt16((ushort)scheme);
        }

        writer.End(list);
        writer.End(extension);
    }

    private static void WriteKeyShare(WireWriter writer, IReadOnlyList<NamedGroup> groups, KeyExchange exchange)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.KeyShare);
        WireWriter.Vector list = writer.Begin(2);
        KeyShareEntry.Write(writer, exchange.Group, exchange.PublicShare);
        if (exchange.Classic is { } classic && groups.Contains(classic.Group))
        {
            KeyShareEntry.Write(writer, classic.Group, classic.PublicShare);
        }

        writer.End(list);
        writer.End(extension);
    }
}
