using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake;

public sealed partial class CertificateCredential
{
    private SslStreamCertificateContext? _context;

    /// <summary>The credential as <see cref="SslStream"/> takes it.</summary>
    /// <param name="context">The certificate with its key and chain.</param>
    /// <param name="reason">When false is returned: why SslStream cannot have the key.</param>
    /// <returns>Whether SslStream can use the credential.</returns>
    public bool TryGetSslStreamContext([NotNullWhen(true)] out SslStreamCertificateContext? context, [NotNullWhen(false)] out string? reason)
    {
        context = Volatile.Read(ref _context);
        reason = null;
        if (context is not null)
        {
            return true;
        }

        if (_privateKey is null)
        {
            reason = "SslStream cannot use the credential: its private key is elsewhere";
            return false;
        }

        if ((Certificate.HasPrivateKey ? Certificate : _privateKey.JoinWith(Certificate)) is not { } withKey)
        {
            reason = $"SslStream cannot use the credential: .NET has no private keys of type {Certificate.PublicKey.Oid.FriendlyName ?? Certificate.PublicKey.Oid.Value}";
            return false;
        }

        // Made of what is there, without a look into the network; two threads at once may make two that are alike.
        context = SslStreamCertificateContext.Create(withKey, [.. Certificates.Skip(1)], offline: true);
        Volatile.Write(ref _context, context);
        return true;
    }
}
