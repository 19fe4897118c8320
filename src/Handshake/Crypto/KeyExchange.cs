namespace KTls.Handshake.Crypto;

/// <summary>
/// A client's end of an ephemeral key agreement: its public share, and the secret from the server's share
/// (RFC 8446 §4.2.8, §7.4). A server's end lasts one step: <see cref="Respond"/>.
/// </summary>
internal abstract class KeyExchange : IDisposable
{
    /// <summary>The most bytes of a shared secret of any group: secp521r1's.</summary>
    public const int MaxSharedSecretLength = 66;

    /// <summary>The groups that can be agreed on here, in the order of preference.</summary>
    public static NamedGroup[] Groups { get; } =
    [
        .. MLKem768.IsSupported ? [NamedGroup.X25519MLKem768] : Array.Empty<NamedGroup>(),
        NamedGroup.X25519,
        NamedGroup.Secp256r1,
        NamedGroup.Secp384r1,
        NamedGroup.Secp521r1,
    ];

    public abstract NamedGroup Group { get; }

    /// <summary>The key_exchange field of our KeyShareEntry.</summary>
    public abstract ReadOnlySpan<byte> PublicShare { get; }

    /// <summary>
    /// The x25519 end whose key is part of a hybrid's, so that a client can offer both for the price of one; null where there
    /// is none. It lives as long as this end, which disposes it.
    /// </summary>
    public virtual KeyExchange? Classic => null;

    public static bool IsSupported(NamedGroup group) => Array.IndexOf(Groups, group) >= 0;

    public static KeyExchange Create(NamedGroup group) => group switch
    {
        NamedGroup.X25519MLKem768 when MLKem768.IsSupported => new HybridKeyExchange(),
        NamedGroup.X25519 => new X25519KeyExchange(),
        NamedGroup.Secp256r1 or NamedGroup.Secp384r1 or NamedGroup.Secp521r1 => new EcdhKeyExchange(group),
        _ => throw new ArgumentOutOfRangeException(nameof(group), group, "Not a supported group."),
    };

    /// <summary>A server's whole part: a new key, the shared secret with the client's share, and the server's share.</summary>
    /// <param name="group">A supported group.</param>
    /// <param name="peerShare">The key_exchange field of the client's KeyShareEntry.</param>
    /// <param name="sharedSecret">At least <see cref="MaxSharedSecretLength"/> bytes.</param>
    /// <param name="publicShare">The key_exchange field of the server's KeyShareEntry.</param>
    /// <returns>Bytes of the secret.</returns>
    /// <exception cref="TlsAlertException">The client's share is not a valid one.</exception>
    public static int Respond(NamedGroup group, ReadOnlySpan<byte> peerShare, Span<byte> sharedSecret, out byte[] publicShare)
    {
        // A KEM's responder has no key of its own.
        if (group == NamedGroup.X25519MLKem768)
        {
            return HybridKeyExchange.Encapsulate(peerShare, sharedSecret, out publicShare);
        }

        using KeyExchange exchange = Create(group);
        int length = exchange.Agree(peerShare, sharedSecret);
        publicShare = exchange.PublicShare.ToArray();
        return length;
    }

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
