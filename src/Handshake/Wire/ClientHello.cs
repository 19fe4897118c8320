using System.Buffers.Binary;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>A ClientHello that a server received (RFC 8446 §4.1.2), checked for its form but not judged.</summary>
public sealed partial class ClientHello
{
    private const int RandomLength = 32;
    private const int MaxSessionIdLength = 32;

    private readonly byte[] _message;
    private Range? _supportedVersions;
    private Range? _groups;
    private Range? _signatureSchemes;
    private Range? _keyShares;
    private Range? _protocols;
    private Range? _sessionTicket;
    private Range? _preSharedKeys;
    private Range? _pointFormats;
    private Range? _pskModes;
    private Range? _renegotiationInfo;
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

    /// <summary>Whether the client remembers sessions of TLS 1.3 (pre_shared_key, RFC 8446 §4.2.11).</summary>
    internal bool HasPreSharedKey => _preSharedKeys is not null;

    internal bool HasPskModes => _pskModes is not null;

    /// <summary>Whether the client wants a certificate's status (RFC 6066 §8).</summary>
    internal bool RequestsOcspResponse { get; private set; }

    /// <summary>Whether the client offers the extended master secret (RFC 7627).</summary>
    internal bool OffersExtendedMasterSecret { get; private set; }

    /// <summary>The most bytes of content that the client takes in a record (RFC 8449); null when it does not say.</summary>
    internal ushort? RecordSizeLimit { get; private set; }

    /// <summary>A TLS 1.2 ticket (RFC 5077), empty when the client has none but would like one; null: it does not take tickets.</summary>
    internal ReadOnlyMemory<byte>? SessionTicket => _sessionTicket is { } range ? _message.AsMemory(range) : default(ReadOnlyMemory<byte>?);

    /// <summary>Whether the client speaks of renegotiation (RFC 5746), by the extension or the signalling suite.</summary>
    internal bool HasRenegotiationInfo => _renegotiationInfo is not null;

    internal ReadOnlySpan<byte> RenegotiationInfo => Optional(_renegotiationInfo);

    /// <summary>The body of pre_shared_key.</summary>
    internal ReadOnlySpan<byte> PreSharedKeys => Optional(_preSharedKeys);

    /// <summary>Where in the message the binders of pre_shared_key begin, at their length.</summary>
    internal int BindersOffset { get; private set; }

    internal ReadOnlySpan<byte> PskModes => Optional(_pskModes);

    internal bool HasPointFormats => _pointFormats is not null;

    internal ReadOnlySpan<byte> PointFormats => Optional(_pointFormats);

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

    /// <summary>Whether the client speaks TLS 1.2: by supported_versions, or by the older field when that is not there.</summary>
    public bool OffersTls12 => _supportedVersions is null ? LegacyVersion >= ProtocolVersion.Tls12 : Contains(SupportedVersions, ProtocolVersion.Tls12);

    /// <summary>The versions that the client offers, as far as <see cref="SslProtocols"/> has names for them.</summary>
    public SslProtocols OfferedProtocols
    {
        get
        {
            SslProtocols offered = _supportedVersions is null ? NameOf(Math.Min(LegacyVersion, ProtocolVersion.Tls12)) : SslProtocols.None;
            for (ReadOnlySpan<byte> rest = SupportedVersions; rest.Length >= sizeof(ushort); rest = rest[sizeof(ushort)..])
            {
                offered |= NameOf(BinaryPrimitives.ReadUInt16BigEndian(rest));
            }

            return offered;
        }
    }

    /// <summary>Whether the client offers a cipher suite.</summary>
    /// <param name="suite">The suite.</param>
    /// <returns>True when it does.</returns>
    public bool Offers(TlsCipherSuite suite) => Contains(CipherSuites, (ushort)suite);

    /// <summary>Whether the client lists a number that is no suite but a signal.</summary>
    internal bool Signals(ushort suite) => Contains(CipherSuites, suite);

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
        ushort wire = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(number) : number;
        return MemoryMarshal.Cast<byte, ushort>(numbers).Contains(wire);
    }

    private static SslProtocols NameOf(ushort version) => version switch
    {
        ProtocolVersion.Tls13 => SslProtocols.Tls13,
        ProtocolVersion.Tls12 => SslProtocols.Tls12,
#pragma warning disable CA5397, CS0618, SYSLIB0039 // What a client offers, and we do not.
        ProtocolVersion.Tls11 => SslProtocols.Tls11,
        ProtocolVersion.Tls10 => SslProtocols.Tls,
        ProtocolVersion.Ssl30 => SslProtocols.Ssl3,
#pragma warning restore CA5397, CS0618, SYSLIB0039
        _ => SslProtocols.None,
    };

    // The range in the message of what has just been read from it.
    private static Range Here(ref WireReader reader, ReadOnlySpan<byte> justRead) => (reader.Position - justRead.Length)..reader.Position;

    private ReadOnlySpan<byte> Optional(Range? range) => range is { } present ? _message.AsSpan(present) : default;
}
