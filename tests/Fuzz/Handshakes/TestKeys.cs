using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>Certificates with their keys, the same in every run. They protect nothing; the command <c>keys</c> makes new ones.</summary>
internal static class TestKeys
{
    /// <summary>The kinds of keys, by their names in the folder Keys.</summary>
    public static readonly string[] Kinds = ["p256", "rsa", "pss", "ed25519", "p384"];

    public static CertificateCredential[] All { get; } = [.. Kinds.Select(kind => Load(kind))];

    public static CertificateCredential P256 => All[0];

    public static CertificateCredential Rsa => All[1];

    public static string FileOf(string folder, string kind) => Path.Combine(folder, "Keys", $"{kind}.pem");

    /// <summary>An OCSP response about the first one.</summary>
    public static string OcspFileOf(string folder) => Path.Combine(folder, "Keys", "p256.ocsp");

    private static CertificateCredential Load(string kind)
    {
        string text = File.ReadAllText(FileOf(AppContext.BaseDirectory, kind));
        CertificateCredential credential = CertificateCredential.FromPem(text, text);
        if (kind == Kinds[0])
        {
            credential.OcspResponse = File.ReadAllBytes(OcspFileOf(AppContext.BaseDirectory));
        }

        return credential;
    }
}
