using System.Net.Security;
using System.Text.RegularExpressions;
using KTls.Handshake;

namespace KTls.Interop.Tests.Matrix;

/// <summary>What OpenSSL and GnuTLS call the suites.</summary>
internal static partial class SuiteNames
{
    /// <summary>ECDHE-RSA-AES128-GCM-SHA256 for a suite of TLS 1.2; TLS 1.3 has the RFC's names.</summary>
    public static string OpenSsl(TlsCipherSuite suite)
    {
        string name = suite.ToString();
        if (!name.Contains("_WITH_", StringComparison.Ordinal))
        {
            return name;
        }

        name = name["TLS_".Length..].Replace("WITH_", string.Empty, StringComparison.Ordinal).Replace("AES_", "AES", StringComparison.Ordinal);
        return (name.Contains("CHACHA20", StringComparison.Ordinal) ? name.Replace("_SHA256", string.Empty, StringComparison.Ordinal) : name).Replace('_', '-');
    }

    public static TlsCipherSuite? FromOpenSsl(string name) => Find(suite => OpenSsl(suite) == name);

    /// <summary>The priority string that allows one suite.</summary>
    public static string GnuTlsPriority(Cell cell) => cell.IsTls13
        ? $"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{GnuTlsCipher(cell.Suite)}"
        : $"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-{(cell.UsesRsa ? "RSA" : "ECDSA")}:-CIPHER-ALL:+{GnuTlsCipher(cell.Suite)}";

    /// <summary>The suite of "(TLS1.2-X.509)-(ECDHE-X25519)-(ECDSA-SHA256)-(AES-128-CCM)". A resumed session of TLS 1.2 does not name the signature: then it is <paramref name="expected"/> if that has the rest.</summary>
    public static TlsCipherSuite? FromGnuTls(string description, TlsCipherSuite expected)
    {
        bool isTls13 = description.StartsWith("(TLS1.3", StringComparison.Ordinal);
        string cipher = LastGroup().Match(description).Groups[1].Value;
        return new[] { expected }.Concat(SupportedParameters.CipherSuites).Cast<TlsCipherSuite?>().FirstOrDefault(suite =>
            GnuTlsCipher(suite!.Value) == cipher
            && new Cell(suite.Value, CellKind.Full) is var cell
            && cell.IsTls13 == isTls13
            && (isTls13 || !description.Contains(cell.UsesRsa ? "(ECDSA-" : "(RSA-", StringComparison.Ordinal)));
    }

    private static string GnuTlsCipher(TlsCipherSuite suite) => Cipher().Match(suite.ToString()).Value.Replace('_', '-');

    private static TlsCipherSuite? Find(Func<TlsCipherSuite, bool> isIt) => SupportedParameters.CipherSuites.Cast<TlsCipherSuite?>().FirstOrDefault(suite => isIt(suite!.Value));

    [GeneratedRegex("(AES_(128|256)_(GCM|CCM)|CHACHA20_POLY1305)")]
    private static partial Regex Cipher();

    [GeneratedRegex(@"\(([^()]*)\)$")]
    private static partial Regex LastGroup();
}
