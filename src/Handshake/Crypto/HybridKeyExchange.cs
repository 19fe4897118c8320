using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>
/// X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem): ML-KEM-768 and X25519 side by side, ML-KEM's part first in each share and in
/// the secret, which holds as long as one of the two does.
/// </summary>
internal sealed class HybridKeyExchange : KeyExchange
{
    private const int ClientShareLength = MLKem768.EncapsulationKeyLength + X25519KeyExchange.ShareLength;
    private const int ServerShareLength = MLKem768.CiphertextLength + X25519KeyExchange.ShareLength;
    private const int SecretLength = MLKem768.SharedSecretLength + X25519KeyExchange.SecretLength;

    private readonly MLKem768 _mlKem;
    private readonly X25519KeyExchange _x25519 = new();
    private readonly byte[] _publicShare = new byte[ClientShareLength];

    public HybridKeyExchange()
    {
        _mlKem = MLKem768.Generate(_publicShare.AsSpan(0, MLKem768.EncapsulationKeyLength));
        _x25519.PublicShare.CopyTo(_publicShare.AsSpan(MLKem768.EncapsulationKeyLength));
    }

    public override NamedGroup Group => NamedGroup.X25519MLKem768;

    public override ReadOnlySpan<byte> PublicShare => _publicShare;

    public override KeyExchange Classic => _x25519;

    public override int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        if (peerShare.Length != ServerShareLength)
        {
            throw InvalidShare(Group);
        }

        _mlKem.Decapsulate(peerShare[..MLKem768.CiphertextLength], sharedSecret[..MLKem768.SharedSecretLength]);
        AgreeX25519(_x25519, peerShare[MLKem768.CiphertextLength..], sharedSecret);
        return SecretLength;
    }

    /// <summary>The server's part.</summary>
    public static int Encapsulate(ReadOnlySpan<byte> clientShare, Span<byte> sharedSecret, out byte[] serverShare)
    {
        serverShare = new byte[ServerShareLength];
        if (clientShare.Length != ClientShareLength
            || !MLKem768.TryEncapsulate(
                clientShare[..MLKem768.EncapsulationKeyLength], serverShare.AsSpan(0, MLKem768.CiphertextLength), sharedSecret[..MLKem768.SharedSecretLength]))
        {
            throw InvalidShare(NamedGroup.X25519MLKem768);
        }

        using var x25519 = new X25519KeyExchange();
        AgreeX25519(x25519, clientShare[MLKem768.EncapsulationKeyLength..], sharedSecret);
        x25519.PublicShare.CopyTo(serverShare.AsSpan(MLKem768.CiphertextLength));
        return SecretLength;
    }

    public override void Dispose()
    {
        _mlKem.Dispose();
        _x25519.Dispose();
    }

    private static void AgreeX25519(X25519KeyExchange exchange, ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        try
        {
            exchange.Agree(peerShare, sharedSecret[MLKem768.SharedSecretLength..]);
        }
        catch (TlsAlertException e)
        {
            CryptographicOperations.ZeroMemory(sharedSecret);
            throw InvalidShare(NamedGroup.X25519MLKem768, e);
        }
    }
}
