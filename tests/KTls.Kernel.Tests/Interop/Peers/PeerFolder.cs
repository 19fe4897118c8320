using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests.Interop;

/// <summary>A test's own folder with the certificates as the peers take them. Deleted at the end.</summary>
internal sealed class PeerFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("ktls-interop-").FullName;

    public PeerFolder(string key = "ecdsa")
    {
        X509Certificate2 leaf = PeerPki.Leaf(key);
        RootFile = Write("root.pem", PeerPki.Root.ExportCertificatePem());
        LeafFile = Write("leaf.pem", leaf.ExportCertificatePem());
        IntermediateFile = Write("intermediate.pem", PeerPki.Intermediate.ExportCertificatePem());
        ChainFile = Write("chain.pem", leaf.ExportCertificatePem() + "\n" + PeerPki.Intermediate.ExportCertificatePem());
        KeyFile = Write("key.pem", ExportKey(leaf));
    }

    public string RootFile { get; }

    public string LeafFile { get; }

    public string IntermediateFile { get; }

    /// <summary>Leaf and intermediate.</summary>
    public string ChainFile { get; }

    public string KeyFile { get; }

    /// <summary>A file in this folder, there or not.</summary>
    public string File(string name) => Path.Combine(_path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text + "\n");
        return File(name);
    }

    public string Write(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private static string ExportKey(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }
}
