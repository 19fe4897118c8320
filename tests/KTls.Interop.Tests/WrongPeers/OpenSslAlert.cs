using System.Globalization;
using System.Text.RegularExpressions;
using KTls.Handshake;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>The alert that OpenSSL's programs say they have received.</summary>
internal static partial class OpenSslAlert
{
    public static AlertDescription? In(string errors) =>
        Alert().Match(errors) is { Success: true } match ? (AlertDescription)byte.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"SSL alert number (\d+)")]
    private static partial Regex Alert();
}
