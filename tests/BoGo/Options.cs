using System.Net.Security;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The handshake options that the flags ask for.</summary>
internal static class Options
{
    // What BoringSSL allows, and the tests go to the edge of.
    public static HandshakeLimits Limits(ConnectionFlags flags) => new()
    {
        MaxChainLength = 64,
        MaxSkippedEarlyData = 16384,
        MaxMessageSize = flags.MaxMessageSize,
    };

    public static ClientHandshakeOptions ForClient(ConnectionFlags flags, ShimCredentials credentials, TestState state) => new()
    {
        ServerName = flags.HostName,
        Protocols = flags.Protocols,
        ApplicationProtocols = flags.AdvertisedProtocols,
        CipherSuites = flags.CipherSuites,
        Groups = Groups(flags),
        SelectCertificate = credentials.SelectForServer,
        Session = flags.TakesTickets ? state.Session : null,
        RequestTickets = flags.TakesTickets,
        RequestOcspResponse = flags.RequestsOcspResponse,
        RequireExtendedMasterSecret = flags.RequiresExtendedMasterSecret,
        RequireSecureRenegotiation = flags.RequiresSecureRenegotiation,
        Limits = Limits(flags),
        Clock = state.Clock,
    };

    public static ServerHandshakeOptions ForServer(ConnectionFlags flags, CertificateCredential credential, TestState state) => new()
    {
        Credential = credential,
        Protocols = flags.Protocols,
        ApplicationProtocols = flags.SelectedProtocol.Length == 0 || flags.DeclinesProtocols ? [] : [new SslApplicationProtocol(flags.SelectedProtocol)],
        CipherSuites = flags.CipherSuites,
        Groups = Groups(flags),
        RequestClientCertificate = flags.VerifiesPeer || flags.RequiresClientCertificate,
        CertificateAuthorities = flags.CertificateAuthorities,
        Tickets = flags.TakesTickets ? state.Tickets : null,
        RequireExtendedMasterSecret = flags.RequiresExtendedMasterSecret,
        Clock = state.Clock,
    };

    private static IReadOnlyList<NamedGroup> Groups(ConnectionFlags flags) => flags.Groups.Count != 0 ? flags.Groups : SupportedParameters.Groups;
}
