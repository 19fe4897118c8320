using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>ECDH on the curves of NIST with .NET's cryptography.</summary>
internal sealed class EcdhKeyExchange : KeyExchange
{
    // UncompressedPointRepresentation (RFC 8446 §4.2.8.2)
    private const byte Uncompressed = 4;

    private readonly ECCurve _curve;
    private readonly int _coordinateLength;
    private readonly ECDiffieHellman _key;
    private readonly byte[] _publicShare;

    public EcdhKeyExchange(NamedGroup group)
    {
        Group = group;
        (_curve, _coordinateLength) = group switch
        {
            NamedGroup.Secp256r1 => (ECCurve.NamedCurves.nistP256, 32),
            NamedGroup.Secp384r1 => (ECCurve.NamedCurves.nistP384, 48),
            NamedGroup.Secp521r1 => (ECCurve.NamedCurves.nistP521, 66),
            _ => throw new ArgumentOutOfRangeException(nameof(group), group, "Not a curve of NIST."),
        };
        _key = ECDiffieHellman.Create(_curve);
        ECPoint point = _key.ExportParameters(includePrivateParameters: false).Q;
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

        var parameters = new ECParameters
        {
            Curve = _curve,
            Q = new ECPoint
            {
                X = peerShare.Slice(1, _coordinateLength).ToArray(),
                Y = peerShare[(1 + _coordinateLength)..].ToArray(),
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
}
