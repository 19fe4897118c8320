using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Interop.Tests.Matrix;

/// <summary>A certificate with its key, in memory and on disk.</summary>
internal sealed class Identity
{
    /// <summary>The name in every client certificate.</summary>
    public const string ClientName = "client";

    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly Identity ServerEcdsa = new("matrix-server-ecdsa", TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), "*.ktls.test"));
    private static readonly Identity ServerRsa = new("matrix-server-rsa", TestPki.Issue(RSA.Create(2048), "*.ktls.test"));
    private static readonly Identity ClientEcdsa = new("matrix-client-ecdsa", TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), ClientName, extendedKeyUsage: ClientAuthentication));
    private static readonly Identity ClientRsa = new("matrix-client-rsa", TestPki.Issue(RSA.Create(2048), ClientName, extendedKeyUsage: ClientAuthentication));

    private Identity(string file, X509Certificate2 certificate)
    {
        Certificate = certificate;
        CertificateFile = Path.Combine(Scenario.Directory, $"{file}.pem");
        KeyFile = Path.Combine(Scenario.Directory, $"{file}.key");
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>All client certificates.</summary>
    public static IReadOnlyList<Identity> Clients => [ClientEcdsa, ClientRsa];

    public X509Certificate2 Certificate { get; }

    public string CertificateFile { get; }

    public string KeyFile { get; }

    public byte[] ExportPkcs12(string password) => Certificate.Export(X509ContentType.Pkcs12, password);

    public static Identity Server(Cell cell) => cell.UsesRsa ? ServerRsa : ServerEcdsa;

    public static Identity Client(Cell cell) => cell.UsesRsa ? ClientRsa : ClientEcdsa;
}
