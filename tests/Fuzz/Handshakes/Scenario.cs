using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;
using KTls.Handshake.Crypto;

namespace KTls.Fuzz.Handshakes;

/// <summary>What both ends want, as the beginning of a script says. In every scenario the handshake of two honest ends completes.</summary>
internal sealed class Scenario
{
    private static readonly TicketKeyRing Ring = new([new TicketKey(new byte[TicketKey.Size])]);

    // The client's groups and the server's. Some make a HelloRetryRequest.
    private static readonly (NamedGroup[] Client, NamedGroup[] Server)[] Groups =
    [
        ([NamedGroup.X25519], [NamedGroup.X25519]),
        ([NamedGroup.X25519, NamedGroup.Secp256r1], [NamedGroup.Secp256r1]),
        ([NamedGroup.Secp256r1], [NamedGroup.Secp256r1]),
        ([NamedGroup.X25519MLKem768, NamedGroup.X25519], [NamedGroup.X25519MLKem768, NamedGroup.X25519]),
        ([NamedGroup.Secp384r1], [NamedGroup.Secp384r1, NamedGroup.X25519]),
        ([NamedGroup.Secp521r1], [NamedGroup.Secp521r1]),
        ([NamedGroup.Secp256r1, NamedGroup.X25519MLKem768, NamedGroup.X25519], [NamedGroup.X25519MLKem768, NamedGroup.X25519]),
        ([NamedGroup.X25519MLKem768, NamedGroup.X25519], [NamedGroup.X25519]),
    ];

    private readonly bool _isTls13;
    private readonly CertificateCredential _credential;
    private readonly CipherSuite _suite;
    private readonly int _groups;
    private readonly Features _features;
    private readonly int _recordSizeLimit;

    public Scenario(Script script, bool isTls13)
    {
        _isTls13 = isTls13;
        _credential = TestKeys.All[script.Next() % TestKeys.All.Length];
        CipherSuite[] suites = Array.FindAll(CipherSuite.All, suite => suite.IsTls13 == isTls13 && (isTls13 || suite.Signer == _credential.KeyKind));
        _suite = suites[script.Next() % suites.Length];
        _groups = script.Next() % Groups.Length;
        _features = (Features)script.Next16();
        int limit = script.Next();
        _recordSizeLimit = limit == 0 ? 0 : 64 + (limit * limit / 4);
        KeyUpdates = isTls13 ? script.Next() % 4 : 0;
    }

    [Flags]
    private enum Features
    {
        RequestsClientCertificate = 1,
        HasClientCertificate = 2,
        Tickets = 4,
        Resumes = 8,
        ApplicationProtocols = 16,
        OcspResponse = 32,
        NoServerName = 64,
        ClientBothVersions = 128,
        ServerSignsElsewhere = 256,
        ClientSignsElsewhere = 512,
        RsaClient = 1024,
        NoTicketRequest = 2048,
        ServerRecordSizeLimit = 4096,
        ClientRecordSizeLimit = 8192,
        AllSuites = 16384,
        ServerBothVersions = 32768,
    }

    /// <summary>The most bytes of content that an end takes in a record.</summary>
    public int MaxContent(bool ofServer) => Has(ofServer ? Features.ServerRecordSizeLimit : Features.ClientRecordSizeLimit) && _recordSizeLimit != 0 ? _recordSizeLimit : RecordHeader.MaxPlaintext;

    /// <summary>How often each end changes its keys after the handshake.</summary>
    public int KeyUpdates { get; }

    /// <summary>Whether an earlier session is resumed.</summary>
    public bool Resumes => Has(Features.Resumes) && !Has(Features.NoTicketRequest);

    /// <summary>What an earlier session has to have in common with this one.</summary>
    public string SessionKey => $"{_isTls13} {Array.IndexOf(TestKeys.All, _credential)} {_suite.Id} {_features & (Features.RequestsClientCertificate | Features.HasClientCertificate | Features.NoServerName | Features.RsaClient)}";

    public ServerHandshakeOptions ServerOptions(Action<string> keyLog) => new()
    {
        Credential = Has(Features.ServerSignsElsewhere) ? SignsElsewhere.Of(_credential) : _credential,
        Protocols = Has(Features.ServerBothVersions) && (_isTls13 || !Has(Features.ClientBothVersions)) ? SslProtocols.Tls12 | SslProtocols.Tls13 : Version,
        CipherSuites = Suites,
        Groups = Groups[_groups].Server,
        ApplicationProtocols = Has(Features.ApplicationProtocols) ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] : [],
        RequestClientCertificate = Has(Features.RequestsClientCertificate),
        CertificateAuthorities = Has(Features.RequestsClientCertificate) && Has(Features.ApplicationProtocols) ? [_credential.Certificate.IssuerName.RawData] : [],
        Tickets = Has(Features.Tickets) || Resumes ? Ring : null,
        RecordSizeLimit = Has(Features.ServerRecordSizeLimit) && _recordSizeLimit != 0 ? _recordSizeLimit : null,
        KeyLog = keyLog,
        Clock = FixedClock.Instance,
    };

    public ClientHandshakeOptions ClientOptions(Action<string> keyLog, ClientSession? session) => new()
    {
        ServerName = Has(Features.NoServerName) ? string.Empty : "localhost",
        Protocols = Has(Features.ClientBothVersions) ? SslProtocols.Tls12 | SslProtocols.Tls13 : Version,
        CipherSuites = Suites,
        Groups = ClientGroups,
        ApplicationProtocols = Has(Features.ApplicationProtocols) ? [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2] : [],
        SelectCertificate = Has(Features.HasClientCertificate) ? SelectCertificate : null,
        Session = session,
        RequestTickets = !Has(Features.NoTicketRequest),
        RequestOcspResponse = Has(Features.OcspResponse),
        RecordSizeLimit = Has(Features.ClientRecordSizeLimit) && _recordSizeLimit != 0 ? _recordSizeLimit : null,
        KeyLog = keyLog,
        Clock = FixedClock.Instance,
    };

    private SslProtocols Version => _isTls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;

    private TlsCipherSuite[] Suites =>
    [
        _suite.Id,
        .. CipherSuite.All.Where(suite => suite != _suite && (suite.IsTls13 != _isTls13 || Has(Features.AllSuites))).Select(suite => suite.Id),
    ];

    // In TLS 1.2 they are the curves that the client can verify with, too (RFC 8422 §5.1).
    private NamedGroup[] ClientGroups => !_isTls13 && _credential.Curve is { } curve ? [.. Groups[_groups].Client.Union([curve])] : Groups[_groups].Client;

    private bool Has(Features feature) => (_features & feature) != 0;

    private CertificateCredential? SelectCertificate(ClientCertificateRequest request)
    {
        CertificateCredential credential = Has(Features.RsaClient) ? TestKeys.Rsa : TestKeys.P256;
        return Has(Features.ClientSignsElsewhere) ? SignsElsewhere.Of(credential) : credential;
    }
}
