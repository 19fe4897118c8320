using System.Net.Security;
using System.Runtime.InteropServices;
using System.Text;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>A ClientHello that a server received (RFC 8446 §4.1.2), checked for its form but not judged.</summary>
public sealed class ClientHello
{
    private const int RandomLength = 32;
    private const int MaxSessionIdLength = 32;
    private const byte HostName = 0;

    private readonly byte[] _message;
    private Range? _supportedVersions;
    private Range? _groups;
    private Range? _signatureSchemes;
    private Range? _keyShares;
    private Range? _protocols;
    private Range _random;
    private Range _sessionId;
    private Range _cipherSuites;
    private Range _compressionMethods;

    private ClientHello(byte[] message) => _message = message;

    /// <summary>The name that the client wants to reach (SNI, RFC 6066 §3), as sent; empty when it sent none.</summary>
    public string ServerName { get; private set; } = string.Empty;

    /// <summary>The whole message with its four-byte header.</summary>
    internal ReadOnlySpan<byte> Message => _message;

    internal ushort LegacyVersion { get; private set; }

    internal ReadOnlySpan<byte> Random => _message.AsSpan(_random);

    internal ReadOnlySpan<byte> SessionId => _message.AsSpan(_sessionId);

    internal ReadOnlySpan<byte> CompressionMethods => _message.AsSpan(_compressionMethods);

    internal bool OffersEarlyData { get; private set; }

    internal bool HasPreSharedKey { get; private set; }

    internal bool HasPskModes { get; private set; }

    internal bool HasKeyShare => _keyShares is not null;

    internal bool HasSupportedGroups => _groups is not null;

    internal bool HasSignatureSchemes => _signatureSchemes is not null;

    internal bool HasProtocols => _protocols is not null;

    /// <summary>Pairs of bytes: the suites, as sent.</summary>
    internal ReadOnlySpan<byte> CipherSuites => _message.AsSpan(_cipherSuites);

    internal ReadOnlySpan<byte> Groups => Optional(_groups);

    internal ReadOnlySpan<byte> SignatureSchemes => Optional(_signatureSchemes);

    /// <summary>The names of ALPN, each with its one-byte length.</summary>
    internal ReadOnlySpan<byte> Protocols => Optional(_protocols);

    /// <summary>The KeyShareEntry list.</summary>
    internal ReadOnlySpan<byte> KeyShares => Optional(_keyShares);

    private ReadOnlySpan<byte> SupportedVersions => Optional(_supportedVersions);

    /// <summary>Whether the client speaks TLS 1.3.</summary>
    public bool OffersTls13 => Contains(SupportedVersions, ProtocolVersion.Tls13);

    /// <summary>Whether the client offers a cipher suite.</summary>
    /// <param name="suite">The suite.</param>
    /// <returns>True when it does.</returns>
    public bool Offers(TlsCipherSuite suite) => Contains(CipherSuites, (ushort)suite);

    /// <summary>Whether the client supports a group, with or without a key share for it.</summary>
    /// <param name="group">The group.</param>
    /// <returns>True when it does.</returns>
    public bool Offers(NamedGroup group) => Contains(Groups, (ushort)group);

    /// <summary>Whether the client accepts a signature scheme.</summary>
    /// <param name="scheme">The scheme.</param>
    /// <returns>True when it does.</returns>
    public bool Offers(SignatureScheme scheme) => Contains(SignatureSchemes, (ushort)scheme);

    /// <summary>Reads the message and keeps a copy of it.</summary>
    /// <exception cref="TlsAlertException">The message is malformed.</exception>
    internal static ClientHello Read(ReadOnlySpan<byte> message)
    {
        var hello = new ClientHello(message.ToArray());
        var reader = new WireReader(hello._message);
        reader.ReadBytes(4);
        hello.LegacyVersion = reader.ReadUInt16();
        hello._random = Here(ref reader, reader.ReadBytes(RandomLength));
        hello._sessionId = Here(ref reader, reader.ReadVector8());
        if (hello.SessionId.Length > MaxSessionIdLength)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A session id of more than 32 bytes.");
        }

        hello._cipherSuites = Here(ref reader, NumberList.Whole(reader.ReadVector16(minimum: 2)));
        hello._compressionMethods = Here(ref reader, reader.ReadVector8(minimum: 1));
        if (!reader.IsEmpty)
        {
            hello.ReadExtensions(ref reader);
        }

        return hello;
    }

    private static bool Contains(ReadOnlySpan<byte> numbers, ushort number)
    {
        ushort wire = BitConverter.IsLittleEndian ? System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(number) : number;
        return MemoryMarshal.Cast<byte, ushort>(numbers).Contains(wire);
    }

    // The range in the message of what has just been read from it.
    private static Range Here(ref WireReader reader, ReadOnlySpan<byte> justRead) => (reader.Position - justRead.Length)..reader.Position;

    private ReadOnlySpan<byte> Optional(Range? range) => range is { } present ? _message.AsSpan(present) : default;

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
                reader.ReadVector8(minimum: 1);
                reader.ExpectEnd();
                HasPskModes = true;
                break;
            case ExtensionType.PreSharedKey:
                HasPreSharedKey = true;
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
