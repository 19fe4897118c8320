namespace KTls.Handshake.Crypto;

/// <summary>
/// One end of an ephemeral key agreement: its public share, and the secret from the peer's share (RFC 8446 §4.2.8, §7.4).
/// </summary>
internal abstract class KeyExchange : IDisposable
{
    /// <summary>The most bytes of a shared secret of any group.</summary>
    public const int MaxSharedSecretLength = 32;

    /// <summary>The groups that can be agreed on, in the order of preference.</summary>
    public static NamedGroup[] Groups { get; } = [NamedGroup.X25519, NamedGroup.Secp256r1];

    public abstract NamedGroup Group { get; }

    /// <summary>The key_exchange field of our KeyShareEntry.</summary>
    public abstract ReadOnlySpan<byte> PublicShare { get; }

    public static bool IsSupported(NamedGroup group) => Array.IndexOf(Groups, group) >= 0;

    public static KeyExchange Create(NamedGroup group) => group switch
    {
        NamedGroup.X25519 => new X25519KeyExchange(),
        NamedGroup.Secp256r1 => new EcdhKeyExchange(),
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "Not a supported group."),
    };

    /// <summary>Computes the shared secret.</summary>
    /// <param name="peerShare">The key_exchange field of the peer's KeyShareEntry.</param>
    /// <param name="sharedSecret">At least <see cref="MaxSharedSecretLength"/> bytes.</param>
    /// <returns>Bytes of the secret.</returns>
    /// <exception cref="TlsAlertException">The peer's share is not a valid one.</exception>
    public abstract int Agree(ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret);

    public abstract void Dispose();

    protected static TlsAlertException InvalidShare(NamedGroup group, Exception? cause = null) =>
        new(AlertDescription.IllegalParameter, $"The peer's key share for {group} is not valid.", cause);
}
