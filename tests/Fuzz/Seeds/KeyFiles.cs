using KTls.Fuzz.Handshakes;
using KTls.Handshake.Tests.Credentials;

namespace KTls.Fuzz.Seeds;

/// <summary>Makes the test keys, by means of the openssl command.</summary>
internal static class KeyFiles
{
    /// <summary>Writes them into the source tree.</summary>
    public static void Make(string source)
    {
        using var files = new OpenSslFiles();
        Directory.CreateDirectory(Path.Combine(source, "Keys"));
        foreach (string kind in TestKeys.Kinds)
        {
            files.Make(kind);
            File.WriteAllText(TestKeys.FileOf(source, kind), files.Text($"{kind}.chain") + files.Text($"{kind}.key"));
        }

        File.WriteAllBytes(TestKeys.OcspFileOf(source), Respond(files, TestKeys.Kinds[0], string.Empty));
    }

    /// <summary>An OCSP response about a certificate.</summary>
    public static byte[] Respond(OpenSslFiles files, string kind, string options)
    {
        files.Run($"ocsp -issuer middle.pem -cert {kind}.pem -reqout {kind}.request");
        files.Run($"ocsp -index index.txt -CA middle.pem -rsigner middle.pem -rkey middle.key -reqin {kind}.request -respout {kind}.ocsp {options}");
        return File.ReadAllBytes(files[$"{kind}.ocsp"]);
    }
}
