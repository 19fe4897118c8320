namespace KTls.Handshake.Wire;

/// <summary>The extensions of a ServerHello or HelloRetryRequest of either version; which of them may be there is the caller's to say.</summary>
internal ref struct ServerHelloExtensions
{
    private ulong _seen;
    private bool _hasRenegotiationInfo;

    /// <summary>The version of supported_versions; 0 when that extension is not there.</summary>
    public ushort SelectedVersion { get; private set; }

    /// <summary>The group of key_share; 0 when that extension is not there.</summary>
    public NamedGroup Group { get; private set; }

    /// <summary>The server's share; empty in a HelloRetryRequest.</summary>
    public ReadOnlySpan<byte> KeyExchange { get; private set; }

    /// <summary>The cookie of a HelloRetryRequest; empty when there is none.</summary>
    public ReadOnlySpan<byte> Cookie { get; private set; }

    /// <summary>Which of the offered pre-shared keys the server takes.</summary>
    public ushort SelectedIdentity { get; private set; }

    /// <summary>The application protocol; empty when there is none.</summary>
    public ReadOnlySpan<byte> Protocol { get; private set; }

    /// <summary>The body of renegotiation_info (RFC 5746): the finished messages of an earlier handshake.</summary>
    public ReadOnlySpan<byte> RenegotiationInfo { get; private set; }

    /// <summary>The most bytes of content that the server takes in a record (RFC 8449).</summary>
    public ushort RecordSizeLimit { get; private set; }

    public readonly bool HasRenegotiationInfo => _hasRenegotiationInfo;

    public readonly bool Has(ExtensionType type) => type == ExtensionType.RenegotiationInfo ? _hasRenegotiationInfo : (_seen & (1UL << (int)type)) != 0;

    /// <exception cref="TlsAlertException">An extension is malformed, or one that nobody offers.</exception>
    public static ServerHelloExtensions Read(scoped ref WireReader message, bool isRetry)
    {
        var extensions = default(ServerHelloExtensions);
        var block = new ExtensionBlock(ref message);
        while (block.TryRead(out ExtensionType type, out ReadOnlySpan<byte> body))
        {
            extensions.ReadOne(type, body, isRetry);
        }

        return extensions;
    }

    /// <summary>Refuses what does not belong in this version's message, or was not offered.</summary>
    public readonly void AllowOnly(params ReadOnlySpan<ExtensionType> allowed)
    {
        ulong rest = _seen;
        bool allowsRenegotiationInfo = false;
        foreach (ExtensionType type in allowed)
        {
            allowsRenegotiationInfo |= type == ExtensionType.RenegotiationInfo;
            rest &= type == ExtensionType.RenegotiationInfo ? ulong.MaxValue : ~(1UL << (int)type);
        }

        if (rest != 0 || (_hasRenegotiationInfo && !allowsRenegotiationInfo))
        {
            throw new TlsAlertException(
                AlertDescription.UnsupportedExtension,
                $"The extension {(rest == 0 ? ExtensionType.RenegotiationInfo : (ExtensionType)System.Numerics.BitOperations.TrailingZeroCount(rest))} in ServerHello was not offered, or does not belong there.");
        }
    }

    private void ReadOne(ExtensionType type, ReadOnlySpan<byte> body, bool isRetry)
    {
        var reader = new WireReader(body);
        switch (type)
        {
            case ExtensionType.SupportedVersions:
                SelectedVersion = reader.ReadUInt16();
                break;
            case ExtensionType.KeyShare when isRetry:
                Group = (NamedGroup)reader.ReadUInt16();
                break;
            case ExtensionType.KeyShare:
                KeyShareEntry entry = KeyShareEntry.Read(ref reader);
                Group = entry.Group;
                KeyExchange = entry.KeyExchange;
                break;
            case ExtensionType.Cookie when isRetry:
                Cookie = reader.ReadVector16(minimum: 1);
                break;
            case ExtensionType.PreSharedKey when !isRetry:
                SelectedIdentity = reader.ReadUInt16();
                break;
            case ExtensionType.ApplicationLayerProtocolNegotiation:
                Protocol = ProtocolNameList.ReadOne(body);
                reader.ReadBytes(reader.Remaining);
                break;
            case ExtensionType.RenegotiationInfo:
                RenegotiationInfo = reader.ReadVector8();
                reader.ExpectEnd();
                _hasRenegotiationInfo = true;
                return;
            case ExtensionType.RecordSizeLimit:
                RecordSizeLimit = Wire.RecordSizeLimit.Read(body);
                reader.ReadUInt16();
                break;
            case ExtensionType.EcPointFormats:
                // RFC 8422 §5.1.2: uncompressed is always among them.
                if (!reader.ReadVector8(minimum: 1).Contains((byte)0))
                {
                    throw new TlsAlertException(AlertDescription.IllegalParameter, "The server does not take uncompressed points (RFC 8422 §5.1.2).");
                }

                break;
            case ExtensionType.SupportedGroups:
                NumberList.Read(body);
                reader.ReadBytes(reader.Remaining);
                break;
            case ExtensionType.ServerName or ExtensionType.StatusRequest or ExtensionType.ExtendedMasterSecret or ExtensionType.SessionTicket:
                break;
            default:
                throw new TlsAlertException(AlertDescription.UnsupportedExtension, $"Extension {(ushort)type} in ServerHello was not offered, or does not belong there.");
        }

        reader.ExpectEnd();
        _seen |= 1UL << (int)type;
    }
}
