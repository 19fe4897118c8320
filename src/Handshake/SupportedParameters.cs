using System.Net.Security;
using KTls.Handshake.Crypto;

namespace KTls.Handshake;

/// <summary>What this library can negotiate.</summary>
public static class SupportedParameters
{
    /// <summary>The cipher suites, in the order of preference.</summary>
    public static IReadOnlyList<TlsCipherSuite> CipherSuites { get; } = [.. CipherSuite.All.Select(suite => suite.Id)];

    /// <summary>The groups, in the order of preference.</summary>
    public static IReadOnlyList<NamedGroup> Groups { get; } = [.. KeyExchange.Groups];
}
