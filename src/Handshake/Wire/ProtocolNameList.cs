using System.Net.Security;

namespace KTls.Handshake.Wire;

/// <summary>The ProtocolNameList of ALPN (RFC 7301 §3.1).</summary>
internal static class ProtocolNameList
{
    /// <summary>Checks the list's form; returns the names, each with its one-byte length.</summary>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> extension)
    {
        var reader = new WireReader(extension);
        ReadOnlySpan<byte> names = reader.ReadVector16(minimum: 2);
        reader.ExpectEnd();
        var list = new WireReader(names);
        while (!list.IsEmpty)
        {
            list.ReadVector8(minimum: 1);
        }

        return names;
    }

    /// <summary>The one protocol that a server chose.</summary>
    public static ReadOnlySpan<byte> ReadOne(ReadOnlySpan<byte> extension)
    {
        var list = new WireReader(Read(extension));
        ReadOnlySpan<byte> protocol = list.ReadVector8();
        return list.IsEmpty
            ? protocol
            : throw new TlsAlertException(AlertDescription.IllegalParameter, "The server chose more than one application protocol (RFC 7301 §3.1).");
    }

    public static bool Contains(ReadOnlySpan<byte> names, ReadOnlySpan<byte> name)
    {
        var list = new WireReader(names);
        while (!list.IsEmpty)
        {
            if (list.ReadVector8().SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    public static void Write(WireWriter writer, ReadOnlySpan<SslApplicationProtocol> protocols)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.ApplicationLayerProtocolNegotiation);
        WireWriter.Vector list = writer.Begin(2);
        foreach (SslApplicationProtocol protocol in protocols)
        {
            writer.WriteVector8(protocol.Protocol.Span);
        }

        writer.End(list);
        writer.End(extension);
    }
}
