using System.Net.Security;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>The programs gnutls-cli and gnutls-serv.</summary>
internal static class GnuTls
{
    /// <summary>GnuTLS' way to say: TLS 1.3, one suite, and these groups in this order.</summary>
    public static string Priority(TlsCipherSuite suite, params IEnumerable<NamedGroup> groups) =>
        $"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{Cipher(suite)}:-GROUP-ALL:{string.Join(':', groups.Select(group => "+GROUP-" + Name(group)))}";

    /// <summary>What GnuTLS says of a connection.</summary>
    public static string Description(TlsCipherSuite suite, string key, NamedGroup group) =>
        $"(TLS1.3-X.509)-(ECDHE-{Name(group)})-({(key == "rsa" ? "RSA-PSS-RSAE-SHA256" : "ECDSA-SECP256R1-SHA256")})-({Cipher(suite)})";

    private static string Name(NamedGroup group) => group.ToString().ToUpperInvariant();

    private static string Cipher(TlsCipherSuite suite) => suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => "AES-128-GCM",
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => "AES-256-GCM",
        _ => "CHACHA20-POLY1305",
    };
}
