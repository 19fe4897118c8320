using NSec.Cryptography;

namespace KTls.Handshake.Crypto;

/// <summary>X25519 (RFC 7748) from libsodium.</summary>
internal sealed class X25519KeyExchange : KeyExchange
{
    private readonly Key _key;
    private readonly byte[] _publicShare;

    public X25519KeyExchange()
        : this(Key.Create(KeyAgreementAlgorithm.X25519))
    {
    }

    /// <summary>With a known private key: for tests against published vectors.</summary>
    internal X25519KeyExchange(ReadOnlySpan<byte> privateKey)
        : this(Key.Import(KeyAgreementAlgorithm.X25519, privateKey, KeyBlobFormat.RawPrivateKey))
    {
    }

    private X25519KeyExchange(Key key)
    {
        _key = key;
        _publicShare = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    public override NamedGroup Group => NamedGroup.X25519;

    public override ReadOnlySpan<byte> PublicShare => _publicShare;

    public override int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret)
    {
        if (peerShare.Length != KeyAgreementAlgorithm.X25519.PublicKeySize ||
            !PublicKey.TryImport(KeyAgreementAlgorithm.X25519, peerShare, KeyBlobFormat.RawPublicKey, out PublicKey? peer) || peer is null)
        {
            throw InvalidShare(Group);
        }

        var exportable = new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving };

        // Null when the result is all zeros, which must end the handshake (RFC 8446 §7.4.2).
        using SharedSecret secret = KeyAgreementAlgorithm.X25519.Agree(_key, peer, exportable) ?? throw InvalidShare(Group);
        if (!secret.TryExport(SharedSecretBlobFormat.RawSharedSecret, sharedSecret, out int length))
        {
            throw new InvalidOperationException("The shared secret does not fit.");
        }

        return length;
    }

    public override void Dispose() => _key.Dispose();
}
