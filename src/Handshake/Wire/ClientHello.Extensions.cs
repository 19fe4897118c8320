using System.Diagnostics.CodeAnalysis;
using System.Text;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

[Experimental(Maturity.Experimental)]
public sealed partial class ClientHello
{
    private const byte HostName = 0;
    private const byte Ocsp = 1;

    private void ReadExtensions(ref WireReader reader)
    {
        var block = new ExtensionBlock(ref reader);
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            if (HasPreSharedKey)
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, "pre_shared_key is not the last extension (RFC 8446 §4.2.11).");
            }

            ReadExtension(type, body);
        }
    }

    private void ReadExtension(ExtensionType type, ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        switch (type)
        {
            case ExtensionType.ServerName:
                ServerName = ReadServerName(body);
                break;
            case ExtensionType.SupportedVersions:
                _supportedVersions = Locate(NumberList.Whole(reader.ReadVector8(minimum: 2)));
                reader.ExpectEnd();
                break;
            case ExtensionType.SupportedGroups:
                _groups = Locate(NumberList.Read(body));
                break;
            case ExtensionType.SignatureAlgorithms:
                _signatureSchemes = Locate(NumberList.Read(body));
                break;
            case ExtensionType.SignatureAlgorithmsCert:
                // For choosing among chains, of which a credential has one; it is sent where it does not fit, too (RFC 8446 §4.4.2.2).
                NumberList.Read(body);
                break;
            case ExtensionType.CertificateAuthorities:
                // A server's certificate is chosen by name; whom the client trusts changes nothing (RFC 8446 §4.2.4).
                CheckAuthorities(body);
                break;
            case ExtensionType.KeyShare:
                _keyShares = Locate(reader.ReadVector16());
                reader.ExpectEnd();
                break;
            case ExtensionType.ApplicationLayerProtocolNegotiation:
                _protocols = Locate(ProtocolNameList.Read(body));
                break;
            case ExtensionType.EarlyData:
                reader.ExpectEnd();
                OffersEarlyData = true;
                break;
            case ExtensionType.PskKeyExchangeModes:
                _pskModes = Locate(reader.ReadVector8(minimum: 1));
                reader.ExpectEnd();
                break;
            case ExtensionType.PreSharedKey:
                _preSharedKeys = Locate(body);
                BindersOffset = _preSharedKeys.Value.Start.Value + OfferedPsks.BindersOffset(body);
                break;
            case ExtensionType.Cookie:
                // We send none, so one that comes says nothing.
                reader.ReadVector16(minimum: 1);
                reader.ExpectEnd();
                break;
            case ExtensionType.StatusRequest:
                RequestsOcspResponse = ReadStatusRequest(body);
                break;
            default:
                ReadExtension12(type, body);
                break;
        }
    }

    private void ReadExtension12(ExtensionType type, ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        switch (type)
        {
            case ExtensionType.RecordSizeLimit:
                RecordSizeLimit = Wire.RecordSizeLimit.Read(body);
                break;
            case ExtensionType.ExtendedMasterSecret:
                reader.ExpectEnd();
                OffersExtendedMasterSecret = true;
                break;
            case ExtensionType.SessionTicket:
                _sessionTicket = Locate(body);
                break;
            case ExtensionType.EcPointFormats:
                _pointFormats = Locate(reader.ReadVector8(minimum: 1));
                reader.ExpectEnd();
                break;
            case ExtensionType.RenegotiationInfo:
                _renegotiationInfo = Locate(reader.ReadVector8());
                reader.ExpectEnd();
                break;
            default:
                // Unknown extensions are ignored (RFC 8446 §4.2), GREASE (RFC 8701) among them.
                break;
        }
    }

    private Range Locate(ReadOnlySpan<byte> part)
    {
        // The part is a slice of _message; an empty slice may have no address of its own.
        if (part.IsEmpty)
        {
            return 0..0;
        }

        _message.AsSpan().Overlaps(part, out int offset);
        return offset..(offset + part.Length);
    }

    private static void CheckAuthorities(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var names = new WireReader(reader.ReadVector16(minimum: 3));
        reader.ExpectEnd();
        while (!names.IsEmpty)
        {
            names.ReadVector16(minimum: 1);
        }
    }

    // RFC 6066 §8: a request of another type than OCSP is none of ours.
    private static bool ReadStatusRequest(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (reader.ReadUInt8() != Ocsp)
        {
            return false;
        }

        reader.ReadVector16();
        reader.ReadVector16();
        reader.ExpectEnd();
        return true;
    }

    private static string ReadServerName(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var list = new WireReader(reader.ReadVector16(minimum: 1));
        reader.ExpectEnd();
        string name = string.Empty;
        while (!list.IsEmpty)
        {
            byte nameType = list.ReadUInt8();
            ReadOnlySpan<byte> value = list.ReadVector16(minimum: 1);
            if (nameType != HostName)
            {
                continue;
            }

            // One name of a type, in ASCII (RFC 6066 §3).
            if (name.Length != 0 || !Ascii.IsValid(value) || value.Contains((byte)0))
            {
                throw new TlsAlertException(AlertDescription.IllegalParameter, "The server name is not one host name in ASCII.");
            }

            name = Encoding.ASCII.GetString(value);
        }

        return name;
    }
}
