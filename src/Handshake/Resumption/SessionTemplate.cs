using KTls.Handshake.Crypto;

namespace KTls.Handshake.Resumption;

/// <summary>What a client adds to each ticket that it gets.</summary>
/// <param name="ServerName">The name that it asked for.</param>
/// <param name="AuthenticatedAt">When the server's certificate was proved.</param>
/// <param name="PeerChain">The server's certificates.</param>
/// <param name="Clock">The clock.</param>
internal sealed record SessionTemplate(string ServerName, DateTimeOffset AuthenticatedAt, byte[][] PeerChain, TimeProvider Clock)
{
    public SessionState Create(CipherSuite suite, ReadOnlySpan<byte> secret, bool isExtendedMasterSecret) => new()
    {
        Suite = suite,
        Secret = SecretBytes.Lasting(secret),
        IsExtendedMasterSecret = isExtendedMasterSecret,
        ServerName = ServerName,
        AuthenticatedAt = AuthenticatedAt,
        IssuedAt = Clock.GetUtcNow(),
        PeerChain = PeerChain,
    };
}
