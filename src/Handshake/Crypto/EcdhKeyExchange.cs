using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>ECDH on the curves of NIST with .NET's cryptography.</summary>
internal sealed class EcdhKeyExchange : KeyExchange
{
    // UncompressedPointRepresentation (RFC 8446 §4.2.8.2)
    private const byte Uncompressed = 4;

    private readonly ECDiffieHellman _key;
    private readonly byte[] _publicShare;

    public EcdhKeyExchange(NamedGroup group)
        : this(group, ECDiffieHellman.Create(CurveOf(group)))
    {
    }

    /// <summary>With a known private key: for tests against published vectors.</summary>
    internal EcdhKeyExchange(NamedGroup group, byte[] privateKey)
        : this(group, ECDiffieHellman.Create(new ECParameters { Curve = CurveOf(group), D = privateKey }))
    {
    }

    private EcdhKeyExchange(NamedGroup group, ECDiffieHellman key)
    {
        Group = group;
        _key = key;
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        _publicShare = [Uncompressed, .. point.X!, .. point.Y!];
    }

    public override NamedGroup Group { get; }

    public override ReadOnlySpan<byte> PublicShare => _publicShare;

    public override int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        if (peerShare.Length != _publicShare.Length || peerShare[0] != Uncompressed)
        {
            throw InvalidShare(Group);
        }

        ReadOnlySpan<byte> coordinates = peerShare[1..];
        var parameters = new ECParameters
        {
            Curve = CurveOf(Group),
            Q = new ECPoint
            {
                X = coordinates[..(coordinates.Length / 2)].ToArray(),
                Y = coordinates[(coordinates.Length / 2)..].ToArray(),
            },
        };

        try
        {
            // The import refuses a point that is not on the curve.
            using ECDiffieHellman peer = ECDiffieHellman.Create(parameters);
            using ECDiffieHellmanPublicKey peerKey = peer.PublicKey;
            byte[] secret = _key.DeriveRawSecretAgreement(peerKey);
            secret.CopyTo(sharedSecret);
            CryptographicOperations.ZeroMemory(secret);
            return secret.Length;
        }
        catch (CryptographicException e)
        {
            throw InvalidShare(Group, e);
        }
    }

    public override void Dispose() => _key.Dispose();

    private static ECCurve CurveOf(NamedGroup group) => group switch
    {
        NamedGroup.Secp256r1 => ECCurve.NamedCurves.nistP256,
        NamedGroup.Secp384r1 => ECCurve.NamedCurves.nistP384,
        NamedGroup.Secp521r1 => ECCurve.NamedCurves.nistP521,
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "Not a curve of NIST."),
    };
}
