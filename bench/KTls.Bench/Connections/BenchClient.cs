using System.Net.Security;

namespace KTls.Bench.Connections;

/// <summary>What the clients of transfers have in common.</summary>
internal static class BenchClient
{
    /// <summary>TLS 1.3 with AES-128-GCM, for the sake of comparing; the certificate is not looked at.</summary>
    public static SslClientAuthenticationOptions Options { get; } = new()
    {
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning disable CA1416 // Linux only.
        CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]),
#pragma warning restore CA1416
    };
}
