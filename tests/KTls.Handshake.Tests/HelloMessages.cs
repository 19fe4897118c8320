using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>A hello message in parts, each of which a test may spoil.</summary>
internal abstract class HelloMessage
{
    public int LegacyVersion { get; set; } = 0x0303;

    public byte[] Random { get; set; } = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    public byte[] SessionId { get; set; } = [.. Enumerable.Range(101, 32).Select(i => (byte)i)];

    public List<(int Type, byte[] Body)> Extensions { get; } = [];

    /// <summary>What stands in the place of the extensions; null: <see cref="Extensions"/>.</summary>
    public byte[]? ExtensionBlock { get; set; }

    public byte[] Get(ExtensionType type) => Extensions.Single(extension => extension.Type == (int)type).Body;

    /// <summary>Replaces an extension in its place, or adds it at the end.</summary>
    public void Set(ExtensionType type, params byte[][] parts)
    {
        int index = Extensions.FindIndex(extension => extension.Type == (int)type);
        if (index >= 0)
        {
            Extensions[index] = ((int)type, Tls.Concat(parts));
        }
        else
        {
            Add((int)type, parts);
        }
    }

    public void Add(int type, params byte[][] parts) => Extensions.Add((type, Tls.Concat(parts)));

    public void Remove(ExtensionType type) => Extensions.RemoveAll(extension => extension.Type == (int)type);

    public abstract byte[] ToMessage();

    protected byte[] Block() => ExtensionBlock ?? Tls.Vector16([.. Extensions.Select(extension => Tls.Extension(extension.Type, extension.Body))]);
}

/// <summary>A ClientHello (RFC 8446 §4.1.2).</summary>
internal sealed class ClientHelloMessage : HelloMessage
{
    public ClientHelloMessage(params (NamedGroup Group, byte[] Share)[] shares)
    {
        Set(ExtensionType.ServerName, Tls.Vector16([0], Tls.Vector16("localhost"u8.ToArray())));
        Set(ExtensionType.SupportedGroups, Tls.Vector16(Tls.U16List((int)NamedGroup.X25519, (int)NamedGroup.Secp256r1)));
        Set(ExtensionType.SignatureAlgorithms, Tls.Vector16(Tls.U16List(0x0403, 0x0804)));
        Set(ExtensionType.ApplicationLayerProtocolNegotiation, Tls.Vector16(Tls.Vector8("h2"u8.ToArray()), Tls.Vector8("http/1.1"u8.ToArray())));
        Set(ExtensionType.SupportedVersions, Tls.Vector8(Tls.U16(0x0304)));
        SetShares(shares);
    }

    public byte[] CipherSuites { get; set; } = Tls.Vector16(Tls.U16List(0x1301, 0x1302, 0x1303));

    public byte[] Compression { get; set; } = Tls.Vector8([0]);

    public void SetShares(params (NamedGroup Group, byte[] Share)[] shares) =>
        Set(ExtensionType.KeyShare, Tls.Vector16([.. shares.Select(share => Share(share.Group, share.Share))]));

    public static byte[] Share(NamedGroup group, byte[] share) => [.. Tls.U16((int)group), .. Tls.Vector16(share)];

    public override byte[] ToMessage() =>
        Tls.Message(HandshakeType.ClientHello, Tls.U16(LegacyVersion), Random, Tls.Vector8(SessionId), CipherSuites, Compression, Block());
}

/// <summary>A ServerHello or a HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4).</summary>
internal sealed class ServerHelloMessage : HelloMessage
{
    /// <summary>SHA-256 of "HelloRetryRequest".</summary>
    public static byte[] RetryRandom { get; } = System.Security.Cryptography.SHA256.HashData("HelloRetryRequest"u8);

    public int CipherSuite { get; set; } = 0x1301;

    public byte Compression { get; set; }

    public override byte[] ToMessage() =>
        Tls.Message(HandshakeType.ServerHello, Tls.U16(LegacyVersion), Random, Tls.Vector8(SessionId), Tls.U16(CipherSuite), [Compression], Block());
}
