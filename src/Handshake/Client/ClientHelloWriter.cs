using System.Net.Security;
using System.Text;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Wire;

/// <summary>Writes a client's ClientHello (RFC 8446 §4.1.2).</summary>
internal static class ClientHelloWriter
{
    private const byte PskDheKe = 1;
    private const byte Ocsp = 1;

    /// <summary>Writes the message.</summary>
    /// <param name="writer">The destination.</param>
    /// <param name="offer">What to offer.</param>
    /// <param name="cookie">The cookie of a HelloRetryRequest; empty: there was none.</param>
    /// <returns>Where the binders begin, which are zeros still; -1 when no pre-shared key is offered.</returns>
    public static int Write(WireWriter writer, ClientOffer offer, ReadOnlySpan<byte> cookie)
    {
        ClientHandshakeOptions options = offer.Options;
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.ClientHello);
        writer.WriteUInt16(ProtocolVersion.Tls12);
        writer.WriteBytes(offer.Random);
        writer.WriteVector8(offer.SessionId);
        WriteSuites(writer, offer);
        writer.WriteVector8([0]);

        WireWriter.Vector extensions = writer.Begin(2);
        WriteServerName(writer, options.ServerName);
        if (offer.OffersTls12)
        {
            WriteExtensions12(writer, offer);
        }

        WriteGroups(writer, offer);
        WriteSignatureSchemes(writer);
        if (options.ApplicationProtocols.Count != 0)
        {
            ProtocolNameList.Write(writer, [.. options.ApplicationProtocols]);
        }

        if (options.RequestOcspResponse)
        {
            WireWriter.Vector status = writer.BeginExtension(ExtensionType.StatusRequest);
            writer.WriteUInt8(Ocsp);
            writer.WriteUInt16(0);
            writer.WriteUInt16(0);
            writer.End(status);
        }

        if (offer.RecordSizeLimit is { } limit)
        {
            RecordSizeLimit.Write(writer, limit);
        }

        int binders = offer.OffersTls13 ? WriteExtensions13(writer, offer, cookie) : -1;
        writer.End(extensions);
        writer.End(message);
        return binders;
    }

    private static void WriteSuites(WireWriter writer, ClientOffer offer)
    {
        WireWriter.Vector list = writer.Begin(2);
        foreach (TlsCipherSuite id in offer.Options.CipherSuites)
        {
            if (CipherSuite.Find(id) is { } suite && offer.Offers(suite))
            {
                writer.WriteUInt16((ushort)id);
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

    private static void WriteExtensions12(WireWriter writer, ClientOffer offer)
    {
        writer.End(writer.BeginExtension(ExtensionType.ExtendedMasterSecret));
        WireWriter.Vector renegotiation = writer.BeginExtension(ExtensionType.RenegotiationInfo);
        writer.WriteUInt8(0);
        writer.End(renegotiation);
        WireWriter.Vector formats = writer.BeginExtension(ExtensionType.EcPointFormats);
        writer.WriteVector8([0]);
        writer.End(formats);
        if (offer.Options.RequestTickets || offer.Session12 is not null)
        {
            WireWriter.Vector ticket = writer.BeginExtension(ExtensionType.SessionTicket);
            writer.WriteBytes(offer.Session12 is { } session ? session.Ticket : default);
            writer.End(ticket);
        }
    }

    private static void WriteGroups(WireWriter writer, ClientOffer offer)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.SupportedGroups);
        WireWriter.Vector list = writer.Begin(2);
        foreach (NamedGroup group in offer.Options.Groups)
        {
            if (offer.Offers(group))
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

        // RSA-PKCS1 is for TLS 1.2, and for certificates in both (RFC 8446 §4.2.3).
        foreach (SignatureScheme scheme in SignatureAlgorithm.ForHandshake12)
        {
            writer.WriteUInt16((ushort)scheme);
        }

        writer.End(list);
        writer.End(extension);
    }

    private static int WriteExtensions13(WireWriter writer, ClientOffer offer, ReadOnlySpan<byte> cookie)
    {
        WireWriter.Vector versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        WireWriter.Vector list = writer.Begin(1);
        writer.WriteUInt16(ProtocolVersion.Tls13);
        if (offer.OffersTls12)
        {
            writer.WriteUInt16(ProtocolVersion.Tls12);
        }

        writer.End(list);
        writer.End(versions);
        WriteKeyShares(writer, offer);
        if (!cookie.IsEmpty)
        {
            WireWriter.Vector extension = writer.BeginExtension(ExtensionType.Cookie);
            writer.WriteVector16(cookie);
            writer.End(extension);
        }

        if (offer.Options.RequestTickets || offer.Session13 is not null)
        {
            WireWriter.Vector modes = writer.BeginExtension(ExtensionType.PskKeyExchangeModes);
            writer.WriteVector8([PskDheKe]);
            writer.End(modes);
        }

        return offer.Session13 is { } session ? WritePreSharedKey(writer, session, offer.Time) : -1;
    }

    private static void WriteKeyShares(WireWriter writer, ClientOffer offer)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.KeyShare);
        WireWriter.Vector list = writer.Begin(2);
        KeyShareEntry.Write(writer, offer.Share!.Group, offer.Share.PublicShare);
        if (offer.ClassicShare is { } classic)
        {
            KeyShareEntry.Write(writer, classic.Group, classic.PublicShare);
        }

        writer.End(list);
        writer.End(extension);
    }

    // The last extension (RFC 8446 §4.2.11).
    private static int WritePreSharedKey(WireWriter writer, ClientSession session, DateTimeOffset now)
    {
        WireWriter.Vector extension = writer.BeginExtension(ExtensionType.PreSharedKey);
        WireWriter.Vector identities = writer.Begin(2);
        writer.WriteVector16(session.Ticket);
        writer.WriteUInt32(session.ObfuscatedAge(now));
        writer.End(identities);
        int start = writer.Length;
        WireWriter.Vector binders = writer.Begin(2);
        WireWriter.Vector binder = writer.Begin(1);
        writer.Reserve(session.State.Suite.HashLength).Clear();
        writer.End(binder);
        writer.End(binders);
        writer.End(extension);
        return start;
    }
}
