using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls;
using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace FileServer.Certificates;

/// <summary>The certificate that the server shows, with its private key and the intermediates to send.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly ServerCredentialFiles? _files;

    private ServerCertificate(CertificateCredential selfMade) => Credentials = new ServerCredentials(selfMade);

    private ServerCertificate(ServerCredentialFiles files)
    {
        _files = files;
        Credentials = files.Credentials;
    }

    /// <summary>Changes when the files change.</summary>
    public ServerCredentials Credentials { get; }

    /// <summary>For a person who wants to know which certificate this is.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{(_files is null ? "self-signed" : Name)}, valid until {Leaf.NotAfter.ToUniversalTime():yyyy-MM-dd}, SHA-256 {Leaf.GetCertHashString(HashAlgorithmName.SHA256)}");

    private X509Certificate2 Leaf => Credentials.Current[0].Certificate;

    private string Name => Leaf.Subject is { Length: > 0 } subject ? subject : Leaf.GetNameInfo(X509NameType.DnsName, forIssuer: false);

    /// <summary>The certificate that the settings name, or one of our own making.</summary>
    /// <exception cref="UserErrorException">A file cannot be used; the message says which and why.</exception>
    public static ServerCertificate Load(Settings settings, ILoggerFactory? loggers = null)
    {
        if (settings.CertificateFile is not { } file)
        {
            return new ServerCertificate(CertificateCredential.FromCertificate(SelfSignedCertificate.Create()));
        }

        try
        {
            var files = new CertificateFiles { Certificate = file, PrivateKey = settings.KeyFile, Password = settings.Password };
            return new ServerCertificate(new ServerCredentialFiles([files], new ServerCredentialFilesOptions { LoggerFactory = loggers }));
        }
        catch (CredentialException e)
        {
            throw new UserErrorException(e.NeedsPassword ? $"{e.Message}; give it with --password or {CommandLine.PasswordVariable}" : e.Message);
        }
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

    public void Dispose() => _files?.Dispose();
}
