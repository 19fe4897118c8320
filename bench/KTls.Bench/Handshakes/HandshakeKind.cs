using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>What kind of handshake is measured.</summary>
/// <param name="Mode">Full or resumed.</param>
/// <param name="Group">The group of the key exchange.</param>
/// <param name="Suite">The only suite, and with it the version; null: what the implementations choose, in TLS 1.3.</param>
internal sealed record HandshakeKind(HandshakeMode Mode, NamedGroup Group = NamedGroup.X25519, TlsCipherSuite? Suite = null)
{
    /// <summary>TLS 1.2 has no hybrid groups.</summary>
    public bool Exists => Group != NamedGroup.X25519MLKem768 || Protocols != SslProtocols.Tls12;

    public SslProtocols Protocols
    {
        get
        {
            if (Suite is not { } suite)
            {
                return SslProtocols.None;
            }

            return suite.ToString().StartsWith("TLS_ECDHE_", StringComparison.Ordinal) ? SslProtocols.Tls12 : SslProtocols.Tls13;
        }
    }

    public static HandshakeKind Parse(string text) => text.Split(',') is [string mode, string group, string suite]
        ? new HandshakeKind(Enum.Parse<HandshakeMode>(mode), Enum.Parse<NamedGroup>(group), suite.Length == 0 ? null : Enum.Parse<TlsCipherSuite>(suite))
        : throw new FormatException(text);

    /// <summary>The reverse of <see cref="Parse"/>.</summary>
    public string ToArgument() => $"{Mode},{Group},{Suite}";

    /// <summary>For people.</summary>
    public override string ToString() => Suite is null ? $"{Mode}, {Group}" : $"{Mode}, {Group}, {Suite}";

    /// <summary>Restricts options to the suite.</summary>
    public void Apply(SslServerAuthenticationOptions options)
    {
        options.AllowTlsResume = Mode != HandshakeMode.Full;
        options.EnabledSslProtocols = Protocols;
        options.CipherSuitesPolicy = Policy();
    }

    /// <inheritdoc cref="Apply(SslServerAuthenticationOptions)"/>
    public void Apply(SslClientAuthenticationOptions options)
    {
        options.AllowTlsResume = Mode != HandshakeMode.Full;
        options.EnabledSslProtocols = Protocols;
        options.CipherSuitesPolicy = Policy();
    }

#pragma warning disable CA1416 // Linux only.
    private CipherSuitesPolicy? Policy() => Suite is { } suite ? new CipherSuitesPolicy([suite]) : null;
#pragma warning restore CA1416
}
