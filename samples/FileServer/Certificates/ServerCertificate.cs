using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FileServer.Certificates;

/// <summary>The certificate that the server shows, with its private key and the intermediates to send.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly bool _isSelfMade;

    private ServerCertificate(X509Certificate2 leaf, X509Certificate2Collection others, bool isSelfMade)
    {
        // Offline: a server's start must not depend on fetching intermediates; what the file holds is what is sent.
        Context = SslStreamCertificateContext.Create(leaf, others, offline: true);
        _isSelfMade = isSelfMade;
    }

    public SslStreamCertificateContext Context { get; }

    /// <summary>For a person who wants to know which certificate this is.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{(_isSelfMade ? "self-signed" : Name)}, valid until {Leaf.NotAfter.ToUniversalTime():yyyy-MM-dd}, SHA-256 {Leaf.GetCertHashString(HashAlgorithmName.SHA256)}");

    private X509Certificate2 Leaf => Context.TargetCertificate;

    private string Name => Leaf.Subject is { Length: > 0 } subject ? subject : Leaf.GetNameInfo(X509NameType.DnsName, forIssuer: false);

    /// <summary>The certificate that the settings name, or one of our own making.</summary>
    /// <exception cref="UserErrorException">A file cannot be used; the message says which and why.</exception>
    public static ServerCertificate Load(Settings settings)
    {
        if (settings.CertificateFile is not { } file)
        {
            return new ServerCertificate(SelfSignedCertificate.Create(), [], isSelfMade: true);
        }

        byte[] content = CertificateFile.Read(file);
        (X509Certificate2 leaf, X509Certificate2Collection others) = CertificateFile.IsPem(content)
            ? PemCertificate.Load(file, content, settings.KeyFile, settings.Password)
            : Pkcs12Certificate.Load(file, content, settings.KeyFile, settings.Password);
        return new ServerCertificate(leaf, others, isSelfMade: false);
    }

    /// <summary>What clients will complain about; null when nothing is wrong.</summary>
    public string? Warning(DateTimeOffset now)
    {
        return Leaf.NotAfter.ToUniversalTime() < now.UtcDateTime
            ? string.Create(CultureInfo.InvariantCulture, $"the certificate has expired on {Leaf.NotAfter.ToUniversalTime():u}; clients will refuse it")
            : Leaf.NotBefore.ToUniversalTime() > now.UtcDateTime
            ? string.Create(CultureInfo.InvariantCulture, $"the certificate is not valid before {Leaf.NotBefore.ToUniversalTime():u}; clients will refuse it")
            : null;
    }

    public void Dispose() => Leaf.Dispose();
}
