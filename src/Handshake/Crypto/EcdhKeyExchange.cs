using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>ECDH on secp256r1 with .NET's cryptography.</summary>
internal sealed class EcdhKeyExchange : KeyExchange
{
    private const int CoordinateLength = 32;

    // UncompressedPointRepresentation (RFC 8446 §4.2.8.2)
    private const byte Uncompressed = 4;
    private const int ShareLength = 1 + (2 * CoordinateLength);

    private readonly ECDiffieHellman _key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _publicShare = new byte[ShareLength];

    public EcdhKeyExchange()
    {
        ECPoint point = _key.ExportParameters(includePrivateParameters: false).Q;
        _publicShare[0] = Uncompressed;
        point.X!.CopyTo(_publicShare, 1);
        point.Y!.CopyTo(_publicShare, 1 + CoordinateLength);
    }

    public override NamedGroup Group => NamedGroup.Secp256r1;

    public override ReadOnlySpan<byte> PublicShare => _publicShare;

    public override int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        if (peerShare.Length != ShareLength || peerShare[0] != Uncompressed)
        {
            throw InvalidShare(Group);
        }

        var parameters = new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint
            {
                X = peerShare.Slice(1, CoordinateLength).ToArray(),
                Y = peerShare[(1 + CoordinateLength)..].ToArray(),
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
