using KTls.Handshake;

namespace KTls.Fallback;

/// <summary>What stands in the way of the kernel, or of our handshake altogether.</summary>
internal sealed class Obstacle(FallbackReason reason, string text)
{
    public static readonly Obstacle SwitchedOff = new(FallbackReason.SwitchedOff, "the options say so");

    public static readonly Obstacle NotLinux = new(FallbackReason.NotLinux, "this is not Linux");

    public static readonly Obstacle NoRekey = new(
        FallbackReason.NoRekey, "this kernel cannot change keys, which a KeyUpdate of the peer would need (Linux 6.14 or later can)");

    public static readonly Obstacle EarlyRecords = new(
        FallbackReason.EarlyRecords, "records came with the end of the handshake, and the kernel takes over when they are read");

    // By HandshakeObstacle.
    private static readonly Obstacle[] OfOffers = [.. Enum.GetValues<HandshakeObstacle>().Select(OfOffer)];

    // Made once: most obstacles are the same for all connections.
    private string? _ownRecords;
    private string? _sslStream;

    public FallbackReason Reason { get; } = reason;

    /// <summary>The same for a person, in words that go on after a colon.</summary>
    public string Text { get; } = text;

    public static Obstacle KeysRefused(KernelTlsException refusal) => new(FallbackReason.KeysRefused, refusal.Message.TrimEnd('.'));

    public DataPlaneStatus ToStatus(DataPlaneKind kind) => new(
        kind,
        Reason,
        kind == DataPlaneKind.SslStream ? _sslStream ??= $"SslStream serves the connection: {Text}." : _ownRecords ??= $"KTls' own record layer has the keys: {Text}.");

    public static Obstacle Of(HandshakeObstacle obstacle) => OfOffers[(int)obstacle];

    public static Obstacle? OfOptions(string? text) => text is null ? null : new Obstacle(FallbackReason.Options, text);

    private static Obstacle OfOffer(HandshakeObstacle obstacle) => obstacle switch
    {
        HandshakeObstacle.ProtocolVersion => new(FallbackReason.ProtocolVersion, "the client offers no protocol version that KTls has"),
        HandshakeObstacle.ExtendedMasterSecret => new(FallbackReason.ExtendedMasterSecret, "the client does not offer the extended master secret"),
        HandshakeObstacle.CipherSuite => new(FallbackReason.CipherSuite, "the client offers no cipher suite that KTls and the certificate have"),
        HandshakeObstacle.Group => new(FallbackReason.Group, "the client offers no group that KTls has"),
        HandshakeObstacle.CertificateCurve => new(FallbackReason.SignatureScheme, "the client does not have the curve of the certificate's key"),
        _ => new(FallbackReason.SignatureScheme, "the client accepts no signature scheme that the certificate's key can sign with"),
    };
}
