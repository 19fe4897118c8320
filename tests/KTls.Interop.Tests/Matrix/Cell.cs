using System.Net.Security;
using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.Interop.Tests.Matrix;

/// <summary>The three handshakes that are tried with every suite.</summary>
internal enum CellKind
{
    /// <summary>A full one, in which the server shows its certificate.</summary>
    Full,

    /// <summary>One that resumes the session of a full one before it.</summary>
    Resumed,

    /// <summary>A full one, in which the client shows its certificate, too.</summary>
    Mutual,
}

/// <summary>One field of the matrix: what two ends have to agree on.</summary>
internal sealed record Cell(TlsCipherSuite Suite, CellKind Kind)
{
    /// <summary>All cells, by suite.</summary>
    public static IReadOnlyList<Cell> All { get; } =
        [.. SupportedParameters.CipherSuites.SelectMany(suite => Enum.GetValues<CellKind>().Select(kind => new Cell(suite, kind)))];

    // A suite belongs to one version: those of TLS 1.2 name the key exchange before "WITH".
    public bool IsTls13 => !Suite.ToString().Contains("_WITH_", StringComparison.Ordinal);

    public SslProtocols Version => IsTls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;

    public bool IsCcm => Suite.ToString().Contains("_CCM", StringComparison.Ordinal);

    public bool IsChaCha20 => Suite.ToString().Contains("_CHACHA20", StringComparison.Ordinal);

    /// <summary>Whether the certificates have RSA keys: where the suite says so. Else they have ECDSA keys.</summary>
    public bool UsesRsa => Suite.ToString().Contains("_RSA_", StringComparison.Ordinal);

    /// <summary>The connections that it takes.</summary>
    public int Connections => Kind == CellKind.Resumed ? 2 : 1;

    public override string ToString() => $"{Suite} {Kind}";
}
