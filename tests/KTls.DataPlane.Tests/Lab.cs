using System.Net.Security;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>What the tests know of the kernel that they run on, and what they share.</summary>
internal static class Lab
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Debian's 6.1 and 6.12 cannot change keys; the lab's newest kernel can.</summary>
    public static bool CanRekey => Environment.OSVersion.Version >= new Version(6, 14);

    public static byte[] CloseNotify { get; } = TlsAlert.Create(AlertDescription.CloseNotify);

    // struct { lifetime; age_add; nonce<0..255>; ticket<1..2^16-1>; extensions<0..2^16-2>; } (RFC 8446 §4.6.1)
    public static byte[] Ticket { get; } = [4, 0, 0, 17, 0, 0, 1, 0, 9, 9, 9, 9, 1, 7, 0, 3, 1, 2, 3, 0, 0];

    public static CertificateCredential Credential { get; } =
        CertificateCredential.TryCreate(SslStreamCertificateContext.Create(TestPki.Ecdsa, [], offline: true), out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new InvalidOperationException(reason);

    public static byte[] KeyUpdate(bool requested = false) => PostHandshakeReader.CreateKeyUpdate(requested);
}
