using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The flags of a connection that the shim knows. All others make it say that it does not implement the test.</summary>
internal static class FlagTable
{
    private static readonly Dictionary<string, Flag> Known = new(StringComparer.Ordinal)
    {
        ["-server"] = Switch(c => c.IsServer = true),
        ["-min-version"] = Value((c, v) => c.MinVersion = (ushort)Number(v)),
        ["-max-version"] = Value((c, v) => c.MaxVersion = (ushort)Number(v)),
        ["-no-tls1"] = Switch(_ => { }),
        ["-no-tls11"] = Switch(_ => { }),
        ["-no-tls12"] = Switch(c => c.RefusedProtocols |= SslProtocols.Tls12),
        ["-no-tls13"] = Switch(c => c.RefusedProtocols |= SslProtocols.Tls13),
        ["-curves"] = Value((c, v) => c.Groups.Add(Group(v))),
        ["-cipher"] = Value((c, v) => c.CipherSuites = CipherList.Read(v)),

        ["-new-x509-credential"] = Switch(c => c.Credentials.Add(new CredentialFlags())),
        ["-cert-file"] = Value((c, v) => c.Credential.CertificateFile = v),
        ["-key-file"] = Value((c, v) => c.Credential.KeyFile = v),
        ["-ocsp-response"] = Value((c, v) => c.Credential.OcspResponse = Convert.FromBase64String(v)),
        ["-must-match-issuer"] = Switch(c => c.Credential.MustMatchIssuer = true),
        ["-async"] = Switch(c => c.IsAsync = true),

        ["-host-name"] = Value((c, v) => c.HostName = v),
        ["-advertise-alpn"] = Value((c, v) => c.AdvertisedProtocols = ProtocolList(v)),
        ["-select-alpn"] = Value((c, v) => c.SelectedProtocol = v),
        ["-decline-alpn"] = Switch(c => c.DeclinesProtocols = true),
        ["-reject-alpn"] = Switch(c => c.RejectsProtocols = true),
        ["-fail-early-callback"] = Switch(c => c.RefusesClient = new Refusal(AlertDescription.HandshakeFailure, ":CONNECTION_REJECTED:")),
        ["-install-ddos-callback"] = Switch(_ => { }),
        ["-fail-ddos-callback"] = Switch(c => c.RefusesClient = new Refusal(AlertDescription.InternalError, ":CONNECTION_REJECTED:")),
        ["-fail-cert-callback"] = Switch(c => c.FailsAtCertificate = true),

        ["-verify-peer"] = Switch(c => c.VerifiesPeer = true),
        ["-require-any-client-certificate"] = Switch(c => c.RequiresClientCertificate = true),
        ["-verify-fail"] = Switch(c => c.RefusesPeerCertificate ??= new Refusal(AlertDescription.HandshakeFailure, ":CERTIFICATE_VERIFY_FAILED:")),
        ["-use-custom-verify-callback"] = Switch(c => c.RefusesPeerCertificate = c.RefusesPeerCertificate is { } refusal ? refusal with { Alert = AlertDescription.CertificateUnknown } : null),
        ["-use-ocsp-callback"] = Switch(_ => { }),
        ["-fail-ocsp-callback"] = Switch(c => c.RefusesOcspResponse = true),
        ["-max-cert-list"] = Value((c, v) => c.MaxMessageSize = Number(v)),
        ["-reverify-on-resume"] = Switch(c => c.JudgesAgain = true),
        ["-use-client-ca-list"] = Value((c, v) => c.CertificateAuthorities = Names(v)),
        ["-expect-client-ca-list"] = Value((c, v) => c.ExpectedCertificateAuthorities = Names(v)),

        ["-no-ticket"] = Switch(c => c.TakesTickets = false),
        ["-enable-ocsp-stapling"] = Switch(c => c.RequestsOcspResponse = true),
        ["-expect-extended-master-secret"] = Switch(c => c.RequiresExtendedMasterSecret = true),
        ["-expect-secure-renegotiation"] = Switch(c => c.RequiresSecureRenegotiation = true),
        ["-no-legacy-server-connect"] = Switch(c => c.RequiresSecureRenegotiation = true),
        ["-resumption-delay"] = Value((c, v) => c.ResumptionDelaySeconds = Number(v)),

        ["-shim-writes-first"] = Switch(c => c.ShimWritesFirst = true),
        ["-shim-initial-write"] = Value((c, v) => c.InitialWrite = v),
        ["-shim-shuts-down"] = Switch(c => c.ShimShutsDown = true),
        ["-check-close-notify"] = Switch(c => c.ChecksCloseNotify = true),
        ["-write-different-record-sizes"] = Switch(c => c.WritesDifferentRecordSizes = true),
        ["-key-update"] = Switch(c => c.UpdatesKeys = true),
        ["-key-update-before-read"] = Switch(c => c.UpdatesKeysBeforeRead = true),
        ["-read-size"] = Value((c, v) => c.ReadSize = Number(v)),
        ["-export-keying-material"] = Value((c, v) => c.ExportLength = Number(v)),
        ["-export-label"] = Value((c, v) => c.ExportLabel = v),
        ["-export-context"] = Value((c, v) => c.ExportContext = v),
        ["-use-export-context"] = Switch(c => c.HasExportContext = true),

        ["-handshake-never-done"] = Switch(c => c.HandshakeMustFail = true),
        ["-expect-version"] = Value((c, v) => c.ExpectedVersion = (ushort)Number(v)),
        ["-expect-cipher"] = Value((c, v) => c.ExpectedCipherSuite = (ushort)Number(v)),
        ["-expect-cipher-aes"] = Value((c, v) => c.ExpectedCipherSuite = (ushort)Number(v)),
        ["-expect-cipher-no-aes"] = Value((_, _) => { }),
        ["-expect-curve-id"] = Value((c, v) => c.ExpectedGroup = (ushort)Number(v)),
        ["-expect-hrr"] = Switch(c => c.ExpectsRetry = true),
        ["-expect-no-hrr"] = Switch(c => c.ExpectsRetry = false),
        ["-expect-advertised-alpn"] = Value((c, v) => c.ExpectedProtocolList = Encoding.Latin1.GetBytes(v)),
        ["-expect-alpn"] = Value((c, v) => c.ExpectedProtocol = v),
        ["-expect-server-name"] = Value((c, v) => c.ExpectedServerName = v),
        ["-expect-no-server-name"] = Switch(c => c.ExpectedServerName = string.Empty),
        ["-expect-verify-result"] = Switch(c => c.ExpectsVerdict = true),
        ["-expect-peer-cert-file"] = Value((c, v) => c.ExpectedPeerCertificateFile = v),
        ["-expect-no-peer-cert"] = Switch(c => c.ExpectsNoPeerCertificate = true),
        ["-expect-peer-verify-pref"] = Value((c, v) => c.ExpectedVerifySchemes.Add((SignatureScheme)Number(v))),
        ["-expect-selected-credential"] = Value((c, v) => c.ExpectedCredential = Number(v)),
        ["-expect-ocsp-response"] = Value((c, v) => c.ExpectedOcspResponse = Convert.FromBase64String(v)),
        ["-expect-session-miss"] = Switch(c => c.ExpectsFullHandshake = true),
        ["-expect-no-session"] = Switch(c => c.ExpectsNoSession = true),
        ["-expect-ticket-renewal"] = Switch(c => c.ExpectsTicketRenewal = true),

        // How BoringSSL's API is called, which makes no difference here: KTls has one way, without I/O and callbacks.
        ["-implicit-handshake"] = Switch(_ => { }),
        ["-use-early-callback"] = Switch(_ => { }),
        ["-use-old-client-cert-callback"] = Switch(_ => { }),
        ["-no-op-extra-handshake"] = Switch(_ => { }),
        ["-handshake-twice"] = Switch(_ => { }),
        ["-partial-write"] = Switch(_ => { }),
        ["-server-preference"] = Switch(_ => { }),
        ["-forbid-renegotiation-after-handshake"] = Switch(_ => { }),

        // KTls answers every wish to renegotiate with no_renegotiation, and goes on.
        ["-renegotiate-ignore"] = Switch(_ => { }),
        ["-renegotiate-freely"] = Switch(_ => { }),

        // There is no early data, whatever the reason.
        ["-expect-early-data-reason"] = Value((_, _) => { }),

        // Extensions in another order each time: KTls has one order.
        ["-permute-extensions"] = Switch(_ => { }),

        // Roots that the shim may trust; it trusts what -verify-fail does not forbid, as BoringSSL's shim does.
        ["-trust-cert"] = Value((_, _) => { }),

        // KTls' own list of schemes holds every one that it knows; the runner's side of the test tells whether it serves.
        ["-verify-prefs"] = Value((_, _) => { }),

        // A key signs with the first of its schemes that the peer accepts; the runner sees which one that was.
        ["-signing-prefs"] = Value((_, _) => { }),

        // KTls does not tell with which scheme the peer has signed. In the tests that run the peer's key has but one.
        ["-expect-peer-signature-algorithm"] = Value((_, _) => { }),

        // KTls keeps of the certificate types of TLS 1.2 whether RSA and ECDSA are among them, and tells nobody.
        ["-expect-certificate-types"] = Value((_, _) => { }),

        // How far a ticket's age is from what the client says: KTls does not look, for it matters to early data alone.
        ["-expect-ticket-age-skew"] = Value((_, _) => { }),

        // KTls has sessions in tickets only, which have no id.
        ["-expect-no-session-id"] = Switch(_ => { }),

        // The messages one by one: KTls calls nobody for them.
        ["-expect-msg-callback"] = Value((_, _) => { }),
    };

    public static Flag Find(string name) =>
        Known.TryGetValue(name, out Flag? flag) ? flag : throw new UnimplementedException($"The flag {name} is not known.");

    public static int Number(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    private static Flag Switch(Action<ConnectionFlags> apply) => new(HasValue: false, (connection, _) => apply(connection));

    private static Flag Value(Action<ConnectionFlags, string> apply) => new(HasValue: true, apply);

    private static NamedGroup Group(string value)
    {
        var group = (NamedGroup)Number(value);
        return SupportedParameters.Groups.Contains(group) ? group : throw new UnimplementedException($"The group {value} is not known.");
    }

    // The list as it stands in the extension: names, each after a byte with its length.
    private static List<SslApplicationProtocol> ProtocolList(string list)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(list);
        var protocols = new List<SslApplicationProtocol>();
        for (int i = 0; i < bytes.Length; i += 1 + bytes[i])
        {
            protocols.Add(new SslApplicationProtocol(bytes[(i + 1)..(i + 1 + bytes[i])]));
        }

        return protocols;
    }

    // Distinguished names in DER, in hexadecimal digits, with commas between them.
    private static byte[][] Names(string list) => list is "<NULL>" or "<EMPTY>" ? [] : [.. list.Split(',').Select(Convert.FromHexString)];

    internal sealed record Flag(bool HasValue, Action<ConnectionFlags, string> Apply);
}
