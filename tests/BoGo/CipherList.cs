using System.Net.Security;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>A list of cipher suites in OpenSSL's language, as far as the runner's tests speak it.</summary>
internal static class CipherList
{
    public static IReadOnlyList<TlsCipherSuite> Read(string list) => list switch
    {
        "ALL:3DES" => SupportedParameters.CipherSuites,
        "DEFAULT:!AES" => [.. SupportedParameters.CipherSuites.Where(suite => !suite.ToString().Contains("AES", StringComparison.Ordinal))],
        "AES128" => [.. SupportedParameters.CipherSuites.Where(suite => suite.ToString().Contains("AES_128", StringComparison.Ordinal))],
        _ => [.. Tls13(), .. list.Split(':').Select(ReadName)],
    };

    // The language is about TLS 1.2 alone.
    private static IEnumerable<TlsCipherSuite> Tls13() => SupportedParameters.CipherSuites.Where(suite => ((ushort)suite >> 8) == 0x13);

    private static TlsCipherSuite ReadName(string name) => Enum.TryParse(name, out TlsCipherSuite suite) && SupportedParameters.CipherSuites.Contains(suite)
        ? suite
        : throw new UnimplementedException($"The cipher list names {name}.");
}
