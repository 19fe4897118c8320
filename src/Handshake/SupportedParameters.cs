using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>What this library can negotiate.</summary>
[Experimental(Maturity.Experimental)]
public static class SupportedParameters
{
    /// <summary>The cipher suites, in the order of preference.</summary>
    public static IReadOnlyList<TlsCipherSuite> CipherSuites { get; } = [.. CipherSuite.All.Select(suite => suite.Id)];

    /// <summary>The groups, in the order of preference.</summary>
    public static IReadOnlyList<NamedGroup> Groups { get; } = [.. KeyExchange.Groups];

    /// <summary>The versions of a choice that have a suite in a choice of suites: the others cannot be spoken.</summary>
    /// <param name="protocols">The versions.</param>
    /// <param name="suites">The suites.</param>
    /// <returns>TLS 1.3, TLS 1.2, both or none.</returns>
    public static SslProtocols WithSuites(SslProtocols protocols, IReadOnlyList<TlsCipherSuite> suites)
    {
        ArgumentNullException.ThrowIfNull(suites);
        if (ReferenceEquals(suites, CipherSuites))
        {
            // The usual case, asked for in every handshake.
            return protocols & (SslProtocols.Tls12 | SslProtocols.Tls13);
        }

        SslProtocols spoken = SslProtocols.None;
        foreach (TlsCipherSuite id in suites)
        {
            spoken |= CipherSuite.Find(id)?.Protocol ?? SslProtocols.None;
        }

        return spoken & protocols;
    }
}
