using System.Security.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>X25519 (RFC 7748) from libsodium.</summary>
internal sealed class X25519KeyExchange : KeyExchange
{
    public const int ShareLength = Sodium.X25519Length;
    public const int SecretLength = Sodium.X25519Length;

    private readonly SecretBytes _privateKey = new(Sodium.X25519Length);
    private readonly byte[] _publicShare = new byte[ShareLength];

    public X25519KeyExchange()
    {
        Sodium.Random(_privateKey.Span);
        Sodium.X25519PublicKey(_privateKey.Span, _publicShare);
    }

    /// <summary>With a known private key: for tests against published vectors.</summary>
    internal X25519KeyExchange(ReadOnlySpan<byte> privateKey)
    {
        privateKey.CopyTo(_privateKey.Span);
        Sodium.X25519PublicKey(_privateKey.Span, _publicShare);
    }

    public override NamedGroup Group => NamedGroup.X25519;

    public override ReadOnlySpan<byte> PublicShare => _publicShare;

    public override int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        // A result that is all zeros must end the handshake (RFC 8446 §7.4.2).
        if (peerShare.Length != ShareLength || !Sodium.TryX25519(_privateKey.Span, peerShare, sharedSecret[..SecretLength]))
        {
            throw InvalidShare(Group);
        }

        return SecretLength;
    }

    public override void Dispose() => _privateKey.Dispose();
}
