using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Interop.Tests.WrongPeers;

/// <summary>An authority that issues certificates with one thing wrong with each, and says which of them it has revoked.</summary>
internal sealed class Authority : IDisposable
{
    public const string ServerName = "right.ktls.test";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private readonly RevocationServers _revocation;

    public Authority()
    {
        Root = CreateRoot();
        Folder = Directory.CreateDirectory(Path.Combine(Scenario.Directory, Path.GetRandomFileName())).FullName;
        RootFile = Write("root.pem", Root.ExportCertificatePem());
        _revocation = new RevocationServers(this);
    }

    public X509Certificate2 Root { get; }

    public string RootFile { get; }

    public string Folder { get; }

    /// <summary>Writes a certificate and its key.</summary>
    /// <param name="how">What is wrong with it.</param>
    /// <param name="isClients">Whether it is for a client.</param>
    /// <returns>The files.</returns>
    public (string Certificate, string Key) Issue(Wrong how, bool isClients)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 issuer = how == Wrong.Root ? CreateRoot() : Root;
        var request = new CertificateRequest($"CN={(isClients ? "a client" : "a server")}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(how == Wrong.Name ? "wrong.ktls.test" : ServerName);
        request.CertificateExtensions.Add(names.Build());

        // keyAgreement is for static ECDH; what signs a handshake needs digitalSignature (RFC 8446 §4.4.2.2).
        request.CertificateExtensions.Add(new X509KeyUsageExtension(how == Wrong.KeyUsage ? X509KeyUsageFlags.KeyAgreement : X509KeyUsageFlags.DigitalSignature, critical: true));
        string purpose = isClients == (how != Wrong.ExtendedKeyUsage) ? ClientAuthentication : ServerAuthentication;
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        byte[] serial = [1, .. RandomNumberGenerator.GetBytes(7)];
        foreach (X509Extension extension in _revocation.Extensions(how, serial))
        {
            request.CertificateExtensions.Add(extension);
        }

        (int from, int to) = how switch
        {
            Wrong.Expired => (-2, -1),
            Wrong.NotYetValid => (1, 2),
            _ => (-2, 2),
        };
        using X509Certificate2 certificate = request.Create(issuer, _now.AddDays(from), _now.AddDays(to), serial);
        string name = Path.GetRandomFileName();
        return (Write($"{name}.pem", certificate.ExportCertificatePem()), Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>Trusts this authority, and asks it which certificates it has revoked, where the test is about that.</summary>
    public X509ChainPolicy Policy(Wrong how)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = RevocationServers.Concerns(how) ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
            UrlRetrievalTimeout = TimeSpan.FromSeconds(30),
        };
        policy.CustomTrustStore.Add(Root);
        return policy;
    }

    public string Write(string name, string content)
    {
        string file = Path.Combine(Folder, name);
        File.WriteAllText(file, content);
        return file;
    }

    public void Dispose() => _revocation.Dispose();

    private X509Certificate2 CreateRoot()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // A name of its own: the framework keeps revocation lists by the name of who issued them.
        var request = new CertificateRequest($"CN=authority {Guid.NewGuid():n}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(_now.AddDays(-3), _now.AddDays(3));
    }
}
